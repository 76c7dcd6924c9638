"""One session of scenarios: what they share, from the first that needs it to the end."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import APIError

from harness import clauses, directories, engine, machine
from harness.assembly import Assembly
from harness.demand import Capacities
from harness.errors import EngineError, MayflyError
from harness.experiment import Experiment
from harness.ledger import Entry, Ledger
from harness.load.standby import Standby
from harness.platforms import ownership
from harness.platforms.docker import DockerPlatform
from harness.progress import Progress
from harness.recorder import Recorder
from harness.run import Run
from harness.underway import Claim


@dataclass(slots=True)
class Session:
    """Platform, recorder and ledger of a run."""

    assembly: Assembly
    ledger: Ledger
    recorder: Recorder
    platform: DockerPlatform
    progress: Progress
    directory: Path
    standby: Standby
    stolen_before: tuple[float, float | None] = field(
        default_factory=lambda: (time.monotonic(), machine.stolen_s())
    )
    capacities: Capacities = field(default_factory=Capacities)
    _claim: Claim | None = None
    _scenarios: int = 0
    _is_closed: bool = False

    @classmethod
    def open(cls, path: Path, seed: int, progress: Progress) -> "Session":
        """Read resilience.toml, heal, build images, start the platform. Raises MayflyError."""
        warnings = machine.warnings()
        progress.doing(f"reading {path.name}")
        assembly = Assembly.of(path)
        healed = [f"{each.verb} what an earlier run left behind: {each}" for each in heal()]
        images = assembly.images(progress.doing)
        run_id = directories.new_run_id()
        recorder = Recorder()
        platform = DockerPlatform(assembly.blueprint(images, run_id), recorder, progress.doing)
        standby = Standby()
        try:
            standby.prepare()
            # Their arithmetic takes a second to import: better now than in the first scenario.
            threading.Thread(target=clauses.catalogue, name="clauses", daemon=True).start()
            platform.start()
        except BaseException:
            standby.close()
            platform.close()
            raise
        ledger = Ledger(run_id, seed, assembly.limits)
        ledger.conditions = {**platform.conditions(), **machine.conditions(assembly.root)}
        ledger.warnings += warnings
        ledger.warnings += healed
        directory = directories.run_directory(assembly.root, run_id)
        return cls(assembly, ledger, recorder, platform, progress, directory, standby)

    def begin(self, planned: int) -> None:
        """Put the run on disk before anything is found out, for whoever watches it."""
        self.ledger.planned = planned
        self._claim = Claim(self.directory)
        self.progress.tell_in(self.directory)
        self.ledger.save_so_far(self.directory)
        directories.point_latest_at(self.directory)

    def scenario(self, entry: Entry) -> Experiment:
        """The experiment of one more scenario."""
        self._scenarios += 1
        self.ledger.entries.append(entry)
        self.progress.scenario(entry.name, max(self.ledger.planned - self._scenarios, 0))
        return Experiment(
            name=entry.name,
            platform=self.platform,
            recorder=self.recorder,
            settings=self.assembly.settings,
            golden=self.assembly.golden,
            tolerance=self.assembly.limits.golden_tolerance,
            seed=self.ledger.seed,
            id_prefix=f"{self.ledger.run_id.removeprefix('mf-')}-{self._scenarios}-",
            progress=self.progress,
            standby=self.standby,
            directory=self.directory,
            capacities=self.capacities,
        )

    def finish(self, scenario: Experiment, entry: Entry) -> None:
        """Make the platform ready for the next scenario, where there still is a platform.

        Tells what the scenario's faults left behind though they are over: a leak like any other,
        because all that comes later rests on nothing being disturbed.
        """
        if self._is_closed:  # an interrupted pytest tears fixtures down last of all
            return
        scenario.finish()
        try:
            left = self.platform.residue()
        except (MayflyError, APIError) as error:
            left = [f"whether anything is left could not be seen: {error}"]
        if left:
            self.ledger.harness_failed = True
            self.ledger.warnings.append(f"leaked by {entry.name}: {'; '.join(left)}")

    def keep(self, entry: Entry) -> None:
        """Save the run as it stands, now that one more scenario is over."""
        entry.is_over = True
        if self._is_closed:
            return
        try:
            self.ledger.save_so_far(self.directory)
        except OSError as error:
            self.ledger.warnings.append(f"could not be saved after {entry.name}: {error}")

    def close(self, interrupted_with: int | None, *, others_failed: bool) -> tuple[Run, int]:
        """Remove everything, see whether anything leaked, save the run; the exit status.

        ``interrupted_with`` is the exit status of a session that did not come to its end;
        ``others_failed`` tells of tests that are no scenarios.
        """
        self._is_closed = True
        self.progress.doing("removing containers")
        self._tell_stolen_time()
        self.standby.close()
        logs = self._logs()
        self._remove()
        status = int(self.ledger.exit_status(others_failed=others_failed))
        if interrupted_with is not None:
            status = interrupted_with
        run = self.ledger.save(self.directory, status, finished=interrupted_with is None)
        folder = self.directory / "logs"
        folder.mkdir(exist_ok=True)
        for name, content in logs.items():
            (folder / f"{name}.log").write_bytes(content)
        directories.point_latest_at(self.directory)
        self.progress.done()
        self.progress.tell_no_more()
        if self._claim is not None:
            self._claim.release()
        return run, status

    def _tell_stolen_time(self) -> None:
        """Say it where the machine was not ours alone: then its times are not all the service's."""
        began_s, before_s = self.stolen_before
        share = machine.stolen_share(before_s, machine.stolen_s(), time.monotonic() - began_s)
        if share is None:
            return
        self.ledger.conditions["stolen processor time"] = f"{share:.2%}"
        if share > machine.STOLEN_SHARE:
            self.ledger.warnings.append(
                f"a hypervisor took {share:.1%} of the processors' time away during the run: "
                "lags and latencies of milliseconds may be its doing"
            )

    def _logs(self) -> dict[str, bytes]:
        with suppress(MayflyError):
            return dict(self.platform.logs())
        return {}

    def _remove(self) -> None:
        try:
            self.platform.close()
        except (EngineError, APIError) as error:
            self.ledger.harness_failed = True
            self.ledger.warnings.append(str(error))
        if self.platform.leaks:
            names = ", ".join(str(each) for each in self.platform.leaks)
            self.ledger.harness_failed = True
            self.ledger.warnings.append(f"leaked, in spite of all efforts: {names}")


def heal() -> list[ownership.Leftover]:
    """Remove what dead runs left behind. Raises EngineError where no engine answers."""
    client = engine.connect()
    try:
        return ownership.heal(client)
    finally:
        client.close()
