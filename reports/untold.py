"""What the message of a scenario says beyond the verdicts that stand beside it anyway."""

import re

from harness.run import Scenario


def untold(scenario: Scenario) -> str:
    """The message without the findings and the evidence of its verdicts; empty: nothing is left.

    A test that fails because a clause is broken says all that the verdict says, once more.
    """
    rest = scenario.message
    for each in scenario.verdicts:
        evidence = "".join(f"\n    {line}" for line in each.evidence)
        rest = rest.replace(f"{each.id} {each.verdict}: {each.sentence}{evidence}", "", 1)
    return re.sub(r"^BrokenError:\s*", "", rest).strip("; \n")
