"""What a database keeps of a question is all of it."""

import json

from hypothesis import HealthCheck, given, settings

from lms.quizzes.exchange import stored
from lms.quizzes.exchange.model import Question
from tests.quizzes.exchange import strategies


@given(question=strategies.questions)
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_nothing_is_lost_in_plain_data(question: Question):
    images = {name: one.data for name, one in stored.images_of(question).items()}
    data = json.loads(json.dumps(stored.dump(question)))
    assert stored.load(data, images.__getitem__) == question
