from __future__ import annotations

from datetime import timedelta

from monitor.core.model import Endpoint, Target
from monitor.store.database.engine import Database
from monitor.store.outcomes.add import add_outcomes
from monitor.store.outcomes.cells import StoredTarget, read_targets, sync_targets
from tests.support.stored_outcomes import DAY, make

ENDPOINT = Endpoint(
    name="azure-sweden", provider="azure_openai", url="https://x.example", region="swedencentral"
)
REST = Target(endpoint=ENDPOINT, model="org/whisper-1", pathway="rest")
REALTIME = Target(
    endpoint=ENDPOINT, model="gpt-4o-transcribe", pathway="realtime", every=timedelta(minutes=1)
)


def test_the_configuration_says_what_is_watched(database: Database) -> None:
    """Targets of the configuration are active with its values; others stay, inactive, with their history."""
    later = DAY + timedelta(hours=1)
    with database.write() as tx:
        add_outcomes(tx, [(make(0), None), (make(0, id="other", endpoint="openai-us"), None)])
        sync_targets(tx, [REST, REALTIME], DAY)
        sync_targets(tx, [REALTIME], later)
        found = {target.key: target for target in read_targets(tx)}
    assert list(found) == [
        "azure-sweden/gpt-4o-transcribe/realtime",
        "azure-sweden/org/whisper-1/rest",
        "openai-us/gpt-4o-transcribe/realtime",
    ]
    assert [target.active for target in found.values()] == [True, False, False]
    assert found[REALTIME.key] == StoredTarget(
        key=REALTIME.key,
        endpoint="azure-sweden",
        model="gpt-4o-transcribe",
        pathway="realtime",
        provider="azure_openai",
        region="swedencentral",
        configuration=REALTIME.configuration,
        every=timedelta(minutes=1),
        active=True,
        first_seen=make(0).started_at,
    )
    assert found[REST.key].first_seen == DAY


def test_nothing_may_be_watched(database: Database) -> None:
    """A configuration without a watch leaves every target inactive."""
    with database.write() as tx:
        sync_targets(tx, [REST], DAY)
        sync_targets(tx, [], DAY)
        assert [target.active for target in read_targets(tx)] == [False]
