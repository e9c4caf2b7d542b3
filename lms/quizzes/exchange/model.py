"""The neutral model, as readers and writers of files use it; it stands in lms.quizzes.types."""

from lms.quizzes.types.essay.rules import (
    Essay,
)
from lms.quizzes.types.matching.rules import (
    Matching,
    Pair,
)
from lms.quizzes.types.model import (
    DIGITS,
    EXACT,
    HUNDRED,
    MOST_OPTIONS,
    NOTHING,
    NUMBER,
    Format,
    Image,
    Kind,
    Option,
    Text,
    accepted_number,
    check_count,
    digits,
    number_of,
    share,
    weight_of,
)
from lms.quizzes.types.multiple.rules import (
    SUM_SLACK,
    Multiple,
)
from lms.quizzes.types.numeric.rules import (
    Number,
    Numeric,
    Unit,
)
from lms.quizzes.types.ordering.rules import (
    Ordering,
)
from lms.quizzes.types.question import (
    MOST_MARK,
    MOST_TAGS,
    SILENT,
    UNTAGGED,
    Body,
    Category,
    Description,
    Outcomes,
    Question,
    Tags,
    body_texts,
    check,
)
from lms.quizzes.types.short_answer.rules import (
    Accepted,
    ShortAnswer,
)
from lms.quizzes.types.single.rules import (
    Single,
)
from lms.quizzes.types.true_false.rules import (
    TrueFalse,
)

__all__ = [
    "DIGITS",
    "EXACT",
    "HUNDRED",
    "MOST_MARK",
    "MOST_OPTIONS",
    "MOST_TAGS",
    "NOTHING",
    "NUMBER",
    "SILENT",
    "SUM_SLACK",
    "UNTAGGED",
    "Accepted",
    "Body",
    "Category",
    "Description",
    "Essay",
    "Format",
    "Image",
    "Kind",
    "Matching",
    "Multiple",
    "Number",
    "Numeric",
    "Option",
    "Ordering",
    "Outcomes",
    "Pair",
    "Question",
    "ShortAnswer",
    "Single",
    "Tags",
    "Text",
    "TrueFalse",
    "Unit",
    "accepted_number",
    "body_texts",
    "check",
    "check_count",
    "digits",
    "number_of",
    "share",
    "weight_of",
]
