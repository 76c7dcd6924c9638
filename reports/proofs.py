"""The proofs of each fault as a block: that it took effect, spared others, and was undone."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from harness.contract import Outcome
from harness.history import FaultRecord, History, Proof
from reports.charts.bounds import within
from reports.words import SIGNS, plural, seconds

_NOTHING = "nothing was shown"


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One proof of a fault, or the lack of one."""

    shows: str
    statement: str
    seen: str
    bar: Markup
    at: str
    sign: str
    word: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Block:
    """One fault with its proofs. Bystanders that were all spared are folded into one line."""

    name: str
    sign: str
    word: str
    outcome: str
    times: tuple[tuple[str, str], ...]  # injected, effect, healed, restored: what, when
    rows: tuple[ProofRow, ...]
    spared: str  # a sentence on the folded rows; empty where none are folded
    folded: tuple[ProofRow, ...]

    @property
    def open(self) -> bool:
        """Whether it is unfolded from the start."""
        return self.outcome != Outcome.HELD


def blocks(history: History) -> tuple[Block, ...]:
    """A block for each fault in order of time, after those that lack a proof."""
    faults = sorted(history.faults, key=lambda each: (each.proof.complete, each.injected_s))
    return tuple(_block(each, history.began_s) for each in faults)


def fault_name(fault: FaultRecord) -> str:
    """What was done to whom, such as ``kill of replica-2``."""
    targets = [each for each in fault.targets if each not in fault.name]
    return f"{fault.name} of {', '.join(targets)}" if targets else fault.name


def _block(fault: FaultRecord, began_s: float) -> Block:
    proof = fault.proof
    shown = [
        *_rows("before", proof.baseline, began_s),
        *(_rows("effect", proof.effect, began_s) or [_lack("effect")]),
    ]
    restored = _rows("undone", proof.restored, began_s) or [_lack("undone")]
    bystanders = _rows("bystander", proof.bystander, began_s)
    spared = ""
    if bystanders and all(each.proven for each in proof.bystander):
        spared, folded = _spared(proof.bystander), tuple(bystanders)
        rows = (*shown, *restored)
    else:
        folded = ()
        rows = (*shown, *(bystanders or [_lack("bystander")]), *restored)
    outcome = _outcome(fault)
    return Block(
        name=fault_name(fault),
        sign=SIGNS[outcome],
        word="proven" if outcome is Outcome.HELD else "not proven",
        outcome=str(outcome),
        times=tuple(_times(fault, began_s)),
        rows=rows,
        spared=spared,
        folded=folded,
    )


def _outcome(fault: FaultRecord) -> Outcome:
    proof = fault.proof
    if proof.complete:
        return Outcome.HELD
    shown = (*proof.effect, *proof.bystander, *proof.restored)
    refuted = any(not each.proven for each in shown)
    return Outcome.BROKEN if refuted else Outcome.INCONCLUSIVE


def _times(fault: FaultRecord, began_s: float) -> Iterator[tuple[str, str]]:
    instants = {
        "injected": fault.injected_s,
        "effect shown": fault.effect_s,
        "healing": fault.healed_s,
        "undone": fault.restored_s,
    }
    for name, time_s in instants.items():
        yield name, "never" if time_s is None else seconds(time_s - began_s, 4)


def _spared(proofs: tuple[Proof, ...]) -> str:
    """One line on bystanders that were all spared; in the harness's own words where these agree."""
    endings = {each.statement.partition(" ")[2] for each in proofs}
    said = endings.pop() if len(endings) == 1 else ""
    if said == "runs on undisturbed":
        return f"{plural(len(proofs), 'bystander')} ran on undisturbed"
    return f"{plural(len(proofs), 'proof')} of bystanders, all proven"


def _rows(shows: str, proofs: tuple[Proof, ...], began_s: float) -> list[ProofRow]:
    return [_row(shows, each, began_s) for each in proofs]


def _row(shows: str, proof: Proof, began_s: float) -> ProofRow:
    outcome = Outcome.HELD if proof.proven else Outcome.BROKEN
    return ProofRow(
        shows=shows,
        statement=proof.statement,
        seen=f"{proof.seen}{_bounds(proof)}",
        bar=within(proof),
        at=seconds(proof.time_s - began_s, 4),
        sign=SIGNS[outcome],
        word="proven" if proof.proven else "not proven",
        outcome=str(outcome),
    )


def _lack(shows: str) -> ProofRow:
    sign = SIGNS[Outcome.INCONCLUSIVE]
    return ProofRow(shows, _NOTHING, "", Markup(""), "—", sign, "no proof", "inconclusive")


def _bounds(proof: Proof) -> str:
    """What a number had to lie between."""
    if proof.least is None or proof.most is None:
        return ""
    if proof.least == proof.most:
        return f" ({proof.least:.4g} {proof.unit} expected)"
    return f" ({proof.least:.4g} to {proof.most:.4g} {proof.unit} expected)"
