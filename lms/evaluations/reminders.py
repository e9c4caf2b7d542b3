"""The round that asks both sides to look at the promises, 30 and 90 days after a class."""

from datetime import datetime

from flask import current_app

from lms.config import Config
from lms.core import mail
from lms.core.db import insert_once, unit_of_work
from lms.core.i18n import LANGUAGES, speaking
from lms.core.ids import hash_token, new_token
from lms.evaluations import due, letters, plans, rules
from lms.evaluations.due import Letter
from lms.evaluations.models import PlanLetter
from lms.evaluations.rules import Side


def sweep(now: datetime) -> int:
    """Send every letter that is due, a batch in each unit of work. Returns how many were sent."""
    config: Config = current_app.extensions["suluh"]
    sent = 0
    for ids in due.batches(now):
        with unit_of_work():
            for one in due.list_letters(ids, now):
                sent += _post(one, config.base_url, now)
    return sent


def _post(one: Letter, base_url: str, now: datetime) -> bool:
    """Send one letter unless another round has just done so; tell whether it was sent."""
    plan, person, stage = one.plan, one.person, one.stage
    is_superior = one.side is Side.SUPERIOR
    token = new_token()
    is_new = insert_once(
        PlanLetter,
        plan_id=plan.id,
        stage=stage,
        side=one.side,
        number=one.number,
        token_hash=hash_token(token) if is_superior else None,
        sent_at=now,
        expires_at=now + rules.LINK_HOLDS if is_superior else None,
    )
    if not is_new:
        return False
    with speaking(person.locale if person.locale in LANGUAGES else "id"):
        subject = str(letters.SUBJECT)
        if is_superior:
            name, email = plans.address_of(plan)
            body = letters.to_superior(
                name=name,
                first_name=rules.first_name(person.name),
                stage=stage,
                link=f"{base_url}/tinjau/{token}",
            )
        else:
            email = person.email
            link = f"{base_url}/angkatan/{one.slug}/rencana"
            body = letters.to_person(name=person.name, stage=stage, link=link)
    mail.put(email, subject, body, now=now)
    return True
