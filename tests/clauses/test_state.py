"""D3 and D5: records outlive replicas, identities do not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clauses.state import no_stable_identity, records_survive
from tests.clauses.histories import Story
from tests.clauses.telling import BEGAN_S


def killed(**replacement: str | float | None) -> Story:
    """Three replicas under load, of which the second is killed and replaced."""
    return Story().fleet(3).requests(rate_rps=50).kill("replica-2", at_s=5, **replacement)


class TestRecordsSurvive:
    """D3."""

    def test_all_there(self) -> None:
        """Every acknowledged prediction stored once holds."""
        finding = records_survive(killed().told())

        assert finding.held
        assert "0 of 1,500 acknowledged predictions were lost" in finding.sentence

    @settings(max_examples=30, deadline=None)
    @given(lost=st.sets(st.integers(0, 1499), min_size=1, max_size=20))
    def test_any_lost(self, lost: set[int]) -> None:
        """Whichever records are lost, the promise is broken, and their number is measured."""
        finding = records_survive(killed().lose_record(*(f"r-{i}" for i in lost)).told())

        assert finding.held is False
        assert finding.measured == len(lost)

    def test_lost_is_cited(self) -> None:
        """A lost record is cited by request, replica and time."""
        finding = records_survive(killed().lose_record("r-240").told())

        assert finding.evidence == (
            "request r-240: OK from replica-1, sent at +4.800 s, is not in the record store",
        )

    def test_many_lost(self) -> None:
        """Of more than can be cited the evidence tells who had acknowledged them, and who died."""
        lost = [f"r-{number}" for number in range(1, 240) if number % 3 in {1, 2}]
        finding = records_survive(killed().lose_record("r-3", *lost).told())

        assert finding.evidence[0] == "replica-2: 80 of 83 lost; it died at +5.005 s"
        assert finding.evidence[1].startswith("replica-3: 80 of ")
        assert finding.evidence[2] == "replica-1: 1 of 514 lost"
        assert finding.evidence[3].startswith("request r-1: OK from replica-2")
        assert finding.evidence[7] == "and 157 more"
        assert len(finding.evidence) == 8

    def test_no_such_table(self) -> None:
        """Where the record store has no table for them all are lost, and that is told."""
        why = 'relation "predictions" does not exist'
        story = killed().lose_record(*(f"r-{number}" for number in range(1500)))
        story.event("records.missing", "database", at_s=30.0, why=why)
        finding = records_survive(story.told())

        assert finding.held is False
        assert finding.measured == 1500
        assert finding.sentence.endswith(f"; the record store said: {why}")

    def test_doubled(self) -> None:
        """A prediction stored twice breaks it."""
        finding = records_survive(killed().record("r-240", copies=2).told())

        assert finding.held is False
        assert finding.evidence == ("record r-240 has 2 copies",)

    def test_unacknowledged(self) -> None:
        """A failed request need not be stored."""
        story = killed().request("r-300", status=14).lose_record("r-300")

        assert records_survive(story.told()).held

    def test_no_store(self) -> None:
        """A service without a record store leaves the promise open, and that is said."""
        finding = records_survive(killed().without_records().told())

        assert finding.held is None
        assert "offers no record store" in finding.sentence

    def test_few(self) -> None:
        """Too few acknowledged predictions are no evidence."""
        story = Story().fleet(3).requests(rate_rps=10).kill("replica-2", at_s=5)

        assert records_survive(story.told()).held is None

    def test_no_fault(self) -> None:
        """Where no replica came to harm, nothing was at stake."""
        assert records_survive(Story().fleet(3).requests().told()).held is None

    def test_nothing_to_lose(self) -> None:
        """Where nothing was acknowledged before the fault, nothing was at stake."""
        story = Story().fleet(3).requests(from_s=6).kill("replica-2", at_s=5)

        assert records_survive(story.told()).held is None


class TestNoStableIdentity:
    """D5."""

    def test_forgotten(self) -> None:
        """A replacement that is new in every respect, and an old one that is forgotten, hold."""
        finding = no_stable_identity(killed().told())

        assert finding.held
        assert 0 < float(finding.measured or 0) < 0.3
        assert "replica-2 (10.0.0.2:9000) died at +5.005 s" in finding.evidence[0]

    def test_same_address(self) -> None:
        """A replacement at the old address is no new identity."""
        finding = no_stable_identity(killed(address="10.0.0.2:9000").told())

        assert finding.held is False
        assert "replica-4 has the address of replica-2" in finding.sentence

    def test_same_hostname(self) -> None:
        """Nor is one with the old hostname."""
        assert no_stable_identity(killed(hostname="host-2").told()).held is False

    def test_ghost(self) -> None:
        """An answer in the name of a replica that was dead when asked breaks it at once."""
        finding = no_stable_identity(killed().request("r-700", replica="replica-2").told())

        assert finding.held is False
        assert "request r-700" in finding.evidence[0]
        assert "was not alive then" in finding.evidence[0]

    def test_stranger(self) -> None:
        """An answer in a name that no replica ever had breaks it."""
        finding = no_stable_identity(killed().request("r-700", replica="replica-0").told())

        assert finding.held is False

    def test_hostnames(self) -> None:
        """A service may call itself by its hostname."""
        assert no_stable_identity(killed().request("r-700", replica="host-1").told()).held

    def test_ghost_record(self) -> None:
        """A record in the name of a replica that was dead when asked breaks it too."""
        finding = no_stable_identity(killed().record("r-700", replica="replica-2").told())

        assert finding.held is False
        assert finding.evidence == ("record r-700 names replica-2, which was dead",)

    def test_old_address_used_late(self) -> None:
        """A call to the old address beyond the limit breaks it."""
        story = Story(lasting_s=60).fleet(3).requests(rate_rps=50).kill("replica-2", at_s=5)
        story.call("r-2500", "10.0.0.2:9000", "502", at_s=50)

        finding = no_stable_identity(story.told())

        assert finding.held is False
        assert finding.measured == 44.995

    def test_address_given_to_a_later_replica(self) -> None:
        """Calls to an address that another replica holds by now do not refer to the old one."""
        story = Story(lasting_s=60).fleet(3).requests(rate_rps=50).kill("replica-2", at_s=5)
        story.start("replica-5", at_s=10, address="10.0.0.2:9000")

        assert no_stable_identity(story.told()).held

    def test_no_traffic_afterwards(self) -> None:
        """Where nothing was sent after the last use of the old address, its end is not seen."""
        story = Story().fleet(3).requests(rate_rps=50, to_s=5.2).kill("replica-2", at_s=5)
        story.call("late", "10.0.0.2:9000, 10.0.0.3:9000", "502, 200", at_s=5.25)

        finding = no_stable_identity(story.told())

        assert finding.held is None
        assert "no traffic was seen after" in finding.sentence

    def test_nobody_replaced(self) -> None:
        """Without a replacement there is no evidence."""
        assert no_stable_identity(Story().fleet(3).requests().told()).held is None

    def test_no_log(self) -> None:
        """Without the balancer's log there is no evidence."""
        history = killed().without_access_log().told()

        assert history.began_s == BEGAN_S
        assert no_stable_identity(history).held is None
