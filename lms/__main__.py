"""`python -m lms …`: the operator's command line."""

import gc


def run() -> None:
    """Load the application, then do what the command line says.

    What a start makes stays until the end. Looking through it for garbage again and again took a
    fifth of the time; kept apart afterwards, it is never looked through again.
    """
    gc.disable()
    from lms.app import load_blueprints
    from lms.cli import main

    load_blueprints()
    gc.freeze()
    gc.enable()
    main()


if __name__ == "__main__":
    run()
