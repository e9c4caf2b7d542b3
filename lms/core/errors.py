"""The root of every refusal the domain can give."""


class DomainError(Exception):
    """Something a person asked for is refused by a rule; views turn it into plain words."""


class NotFound(DomainError):
    """The thing does not exist, or the viewer may not know that it does."""


class Forbidden(DomainError):
    """The viewer may see the thing but not do this to it."""
