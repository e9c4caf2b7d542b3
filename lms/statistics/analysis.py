"""The answer of `analyse`: one table of answers, described."""

import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lms.statistics import matrices, rules
from lms.statistics.matrices import BadTable, Matrix

if TYPE_CHECKING:
    from lms.statistics.classical import (
        Bools,
        Choice,
        Codes,
        Item,
        Scores,
        Spread,
        Wanted,
    )

SHARED_OPTIONS = 8
"""A file with at most so many different answers offers them in every item."""
QUARTERS = ("lower", "mid50", "mid75", "upper")
METHOD = {
    "blanks": "missing: an item is described by those who answered it, a total is the sum of what "
    "somebody answered, alpha is made of covariances of those who answered both; Moodle's figures "
    "count a blank as no mark",
    "corrected_item_rest_r": "with the total of the other items",
    "upper_lower_27": "the round(0.27 n) highest totals less the round(0.27 n) lowest; people of "
    "one total keep the order of the file, the first ones being the lower",
    "psychometric_Discrimination_thirds": "the same with n // 3 people",
    "quarters": "borders are the quartiles of the total (type 7); who lies on a border is in the "
    "lower quarter, people of one total are never parted",
    "wilson": "95 %",
    "decision": "Peng and Subkoviak 1980: two parallel tests, bivariate normal, correlation alpha, "
    "cut less 0.5; kappa beyond chance; Livingston 1972",
    "dif": "Mantel-Haenszel within equal totals, the item included; the largest group is the "
    f"reference; only groups of {rules.FEW_IN_GROUP} or more; classes A, B, C as ETS has them",
    "flags": f"too_easy above {rules.EASY}, too_hard below {rules.HARD}, dead_distractor: a wrong "
    f"option below {rules.DEAD}, small_n: below {rules.SMALL}; suspected_wrong_key: a wrong "
    "option goes with a high score, more than the key does, and leads in the upper quarter; "
    "curve_crossing: a wrong option is behind the key in a quarter and ahead in a higher one",
}


def analyse(
    responses: Path,
    *,
    key: Path | None = None,
    group: str | None = None,
    cut: float | None = None,
    skip: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Describe a table of answers. Raises BadTable."""
    keys = matrices.read_key(key) if key is not None else None
    return report(matrices.read(responses, key=keys, group=group, skip=skip), keys, group, cut)


def report(
    matrix: Matrix, keys: dict[str, str] | None, group: str | None, cut: float | None
) -> dict[str, Any]:
    """Describe a matrix of answers as plain values: finite numbers, or None."""
    from lms.statistics import classical

    codes = classical.table(matrix.codes, matrix.people)
    right = _right_codes(matrix, keys) if keys is not None else None
    given = classical.scores(codes, lambda item: _worth(matrix, right[item] if right else None))
    is_binary = right is not None or {*_worth(matrix, None)} <= {0.0, 1.0}
    spread = classical.spread(given.totals)
    covariance = classical.covariances(given)
    items = classical.describe(given)
    options: list[list[Choice]] = [[] for _one in items]
    if right is not None:
        quarter = classical.quarters(given.totals)
        options = [
            classical.choices(given.totals, codes[:, one], wanted, quarter)
            for one, wanted in enumerate(_wanted(matrix, codes, right))
        ]
    alpha = classical.alpha(covariance)
    found = {
        "persons": matrix.people,
        "items": len(matrix.items),
        "blanks": given.blanks,
        "left_out": list(matrix.left_out),
        "small_n": matrix.people < rules.SMALL,
        "total": _total(spread),
        "reliability": _reliability(given, spread, alpha, is_binary and not given.blanks),
        "items_table": _items_table(
            matrix, items, classical.alphas_without(covariance), options, is_binary
        ),
        "moodle": _moodle(given, matrix, spread) if matrix.people > 1 else None,
    }
    if right is not None:
        found["distractors"] = _distractors(matrix, options)
        found["CTT_distractorAnalysis"] = _ctt(matrix, options)
    if cut is not None:
        found["decision"] = _decision(given, spread, alpha, cut)
    if group is not None:
        found["dif"] = _dif(given, matrix, is_binary)
    return found | {"method": METHOD}


def _right_codes(matrix: Matrix, keys: dict[str, str]) -> list[int]:
    folded = {one.casefold(): code for code, one in enumerate(matrix.choices) if code}
    return [folded[keys[item].casefold()] for item in matrix.items]


def _worth(matrix: Matrix, right: int | None) -> list[float]:
    """Return the mark each code stands for: what it says itself, or whether it is the right one."""
    if right is None:
        return [0.0, *map(matrices.mark, matrix.choices[1:])]
    return [float(code == right) for code in range(len(matrix.choices))]


def _wanted(matrix: Matrix, codes: "Codes", right: list[int]) -> "list[list[Wanted]]":
    """Return the options of each item: those chosen and the key, or all of a short common list."""
    from lms.statistics import classical

    every = set(range(1, len(matrix.choices)))
    found = []
    for item, key in enumerate(right):
        offered = every
        if len(every) > SHARED_OPTIONS:
            offered = classical.seen(codes[:, item]) - {0} | {key}
        named = sorted((matrix.choices[code], code) for code in offered)
        found.append([classical.Wanted(code, name, code == key) for name, code in named])
    return found


def _total(spread: "Spread") -> dict[str, float | None]:
    return {
        "mean": spread.mean,
        "sd_n_minus_1": spread.sd,
        "sd_n": spread.sd_n,
        "median": spread.median,
        "min": spread.low,
        "max": spread.high,
        "skew_population": spread.skewness,
        "excess_kurtosis_population": spread.kurtosis,
    }


def _reliability(
    given: "Scores", spread: "Spread", alpha: float | None, is_complete: bool
) -> dict[str, float | None]:
    """Return reliabilities; those of Kuder and Richardson only of complete marks 0 and 1."""
    from lms.statistics import classical

    halves = classical.halves(given)
    k, variance = given.items, spread.sd_n**2
    kr20 = kr21 = None
    if is_complete and k > 1 and variance:
        p = given.marks.mean(axis=0)
        kr20 = k / (k - 1) * (1 - float((p * (1 - p)).sum()) / variance)
        kr21 = k / (k - 1) * (1 - spread.mean * (k - spread.mean) / (k * variance))
    sem = None
    if alpha is not None and alpha <= 1 and spread.sd is not None:
        sem = spread.sd * math.sqrt(1 - alpha)
    return {
        "alpha_psych_raw": alpha,
        "alpha_CTT": alpha,
        "KR20_population_variance": kr20,
        "KR21_population_variance": kr21,
        "SEM_from_alpha_sd_n_minus_1": sem,
        "odd_even_r": halves,
        "odd_even_spearman_brown": rules.spearman_brown(halves),
    }


def _items_table(
    matrix: Matrix,
    items: "list[Item]",
    alphas: list[float | None],
    options: "list[list[Choice]]",
    is_binary: bool,
) -> list[dict[str, Any]]:
    rows = []
    for name, item, alpha, choices in zip(matrix.items, items, alphas, options, strict=True):
        bis = None
        if is_binary and item.p is not None and item.sd is not None:
            bis = rules.biserial(item.r_rest, item.sd, item.p, item.n)
        interval = None
        if is_binary and item.p is not None:
            interval = rules.wilson(round(item.p * item.n), item.n)
        flags = rules.flags(item.n, item.p, item.r_rest, [one.option for one in choices])
        rows.append(
            {
                "item": name,
                "n": item.n,
                "omitted": matrix.people - item.n,
                "p": item.p,
                "p_wilson_95": list(interval) if interval else None,
                "sd_n_minus_1": item.sd,
                "item_total_r": item.r_total,
                "corrected_item_rest_r": item.r_rest,
                "alpha_if_dropped_psych": alpha,
                "CTT_pBis": item.r_rest,
                "CTT_bis": bis,
                "CTT_alphaIfDeleted": alpha,
                "psychometric_Discrimination_thirds": item.thirds,
                "upper_lower_27": item.ends27,
                "flags": [flag.value for flag in flags],
            }
        )
    return rows


def _distractors(matrix: Matrix, options: "list[list[Choice]]") -> list[dict[str, Any]]:
    return [
        {
            "item": item,
            "option": one.option.name,
            "key": one.option.is_key,
            "count": one.option.count,
            "prop": one.option.share,
            "pbis_with_rest_score": one.option.r,
            "mean_total_of_choosers": one.mean_total,
        }
        for item, choices in zip(matrix.items, options, strict=True)
        for one in choices
    ]


def _ctt(matrix: Matrix, options: "list[list[Choice]]") -> dict[str, list[dict[str, Any]]]:
    """Return the table that `distractorAnalysis` of the R package CTT prints."""
    found: dict[str, list[dict[str, Any]]] = {}
    for item, choices in zip(matrix.items, options, strict=True):
        found[item] = []
        for one in choices:
            low, high = one.option.curve[0], one.option.curve[-1]
            found[item].append(
                {
                    "correct": "*" if one.option.is_key else "",
                    "key": one.option.name,
                    "n": one.option.count,
                    "rspP": one.option.share,
                    "pBis": one.r_without_choice,
                    "discrim": None if low is None or high is None else high - low,
                    **dict(zip(QUARTERS, one.option.curve, strict=True)),
                }
            )
    return found


def _moodle(given: "Scores", matrix: Matrix, spread: "Spread") -> dict[str, Any]:
    from lms.statistics import classical

    quiz, slots = classical.moodle(given)
    return {
        "quiz": {
            "s": spread.n,
            "mean": spread.mean,
            "median": spread.median,
            "standarddeviation": spread.sd,
            "skewness": spread.skewness_k,
            "kurtosis": spread.kurtosis_k,
            "cic": quiz.cic,
            "errorratio": quiz.error_ratio,
            "standarderror": quiz.standard_error,
        },
        "slots": [
            {
                "slot": number,
                "item": name,
                "s": one.s,
                "facility": one.facility,
                "sd": one.sd,
                "effectiveweight": one.effective_weight,
                "covariance": one.covariance,
                "markvariance": one.mark_variance,
                "othermarkvariance": one.other_variance,
                "discriminationindex": one.discrimination_index,
                "covariancemax": one.covariance_max,
                "discriminativeefficiency": one.discriminative_efficiency,
                "maxmark": 1,
            }
            for number, (name, one) in enumerate(zip(matrix.items, slots, strict=True), 1)
        ],
    }


def _decision(
    given: "Scores", spread: "Spread", alpha: float | None, cut: float
) -> dict[str, float | None]:
    """Return how sure the verdict at a cut is; who has the cut itself reaches it."""
    found = None
    if spread.sd is not None:
        found = rules.consistency(spread.mean, spread.sd, alpha, cut)
    return {
        "cut": cut,
        "reached": float((given.totals >= cut).mean()),
        "agreement": found.agreement if found else None,
        "kappa": found.kappa if found else None,
        "livingston_k2": found.livingston if found else None,
    }


def _dif(given: "Scores", matrix: Matrix, is_binary: bool) -> dict[str, Any]:
    """Compare the largest group with every other that is large enough, item by item."""
    from lms.statistics import classical

    sizes = Counter(one for one in matrix.groups if one)
    ranked = sorted(sizes, key=lambda one: (-sizes[one], one))
    enough = [one for one in ranked if sizes[one] >= rules.FEW_IN_GROUP]
    told: dict[str, Any] = {"groups": dict(sizes.most_common()), "reference": None, "tables": {}}
    if not is_binary:
        return told | {"reason": "marks between 0 and 1 are not compared"}
    if len(enough) < 2:
        return told | {"reason": f"two groups of {rules.FEW_IN_GROUP} or more are needed"}
    reference = classical.members(matrix.groups, enough[0])
    told["reference"] = enough[0]
    for other in enough[1:]:
        told["tables"][other] = _compared(
            given, matrix, reference, classical.members(matrix.groups, other)
        )
    return told


def _compared(
    given: "Scores", matrix: Matrix, reference: "Bools", other: "Bools"
) -> list[dict[str, Any]]:
    from lms.statistics import classical

    rows, level = [], classical.levels(given.totals)
    for number, item in enumerate(matrix.items):
        one = classical.compare(given, number, level, reference, other)
        rows.append(
            {
                "item": item,
                "odds_ratio": one.odds_ratio if one else None,
                "delta": one.delta if one else None,
                "delta_se": one.delta_se if one else None,
                "chi_square": one.chi_square if one else None,
                "p_value": one.p_value if one else None,
                "ets": one.ets if one else None,
            }
        )
    return rows


def table(found: dict[str, Any]) -> list[str]:
    """Return the lines of a report for a terminal."""
    total, reliability, moodle = found["total"], found["reliability"], found["moodle"]
    lines = [
        f"{found['persons']} people, {found['items']} items, {found['blanks']} blanks"
        + (f"; left out: {', '.join(found['left_out'])}" if found["left_out"] else ""),
        f"mean {_number(total['mean'])}  sd {_number(total['sd_n_minus_1'])}  "
        f"median {_number(total['median'])}  skewness {_number(total['skew_population'])}",
        f"alpha {_number(reliability['alpha_CTT'])}  "
        f"SEM {_number(reliability['SEM_from_alpha_sd_n_minus_1'])}",
    ]
    if found["small_n"]:
        lines.append(f"n masih kecil: below {rules.SMALL} people these numbers say little")
    if moodle is not None:
        quiz = moodle["quiz"]
        lines.append(
            f"Moodle: internal consistency {_number(quiz['cic'])} %  "
            f"error ratio {_number(quiz['errorratio'])} %  "
            f"standard error {_number(quiz['standarderror'])}"
        )
    if "decision" in found:
        one = found["decision"]
        lines.append(
            f"cut {one['cut']:g}: {_number(one['reached'])} reach it; two such tests agree on "
            f"{_number(one['agreement'])}, kappa {_number(one['kappa'])}"
        )
    lines += ["", *_item_lines(found["items_table"])]
    if "distractors" in found:
        lines += ["", *_option_lines(found["CTT_distractorAnalysis"])]
    if "dif" in found:
        lines += ["", *_dif_lines(found["dif"])]
    return lines


def _item_lines(rows: list[dict[str, Any]]) -> list[str]:
    width = max(4, *(len(_plain(one["item"])) for one in rows))
    lines = [f"{'item':<{width}}       n omitted      p   95 %            rest     27%  look at"]
    for one in rows:
        low, high = one["p_wilson_95"] or (None, None)
        lines.append(
            f"{_plain(one['item']):<{width}} {one['n']:>7} {one['omitted']:>7} "
            f"{_number(one['p']):>6}  {_number(low):>6}-{_number(high):<6} "
            f"{_number(one['corrected_item_rest_r']):>6}  {_number(one['upper_lower_27']):>6}  "
            f"{', '.join(one['flags'])}"
        )
    return lines


def _option_lines(tables: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = ["option             n  share   pBis  by quarter of the total, from the lowest"]
    for item, rows in tables.items():
        lines.append(_plain(item))
        for one in rows:
            curve = " ".join(f"{_number(one[name]):>6}" for name in QUARTERS)
            lines.append(
                f"  {one['correct'] or ' '} {_plain(one['key']):<10} {one['n']:>6} "
                f"{_number(one['rspP']):>6} {_number(one['pBis']):>6}  {curve}"
            )
    return lines


def _dif_lines(dif: dict[str, Any]) -> list[str]:
    sizes = ", ".join(f"{_plain(name)} {size}" for name, size in dif["groups"].items())
    lines = [f"groups: {sizes}"]
    if "reason" in dif:
        lines.append(f"not compared: {dif['reason']}")
    for other, rows in dif["tables"].items():
        lines.append(f"{_plain(other)} against {_plain(dif['reference'])}:  item, delta, p, class")
        lines += [
            f"  {_plain(one['item'])}  {_number(one['delta'])}  {_number(one['p_value'])}  "
            f"{one['ets'] or '-'}"
            for one in rows
        ]
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _plain(text: str) -> str:
    """Return text that cannot steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


__all__ = ["BadTable", "analyse", "report", "table"]
