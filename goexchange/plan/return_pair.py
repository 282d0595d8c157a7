"""What putting an earlier pair of files back on Exchange 2003 cannot be done with, and the consent
that it needs.
"""

from __future__ import annotations

from goexchange.errors import Damaged, NotNow
from goexchange.model.actual import ActualDatabase, ActualServer, Generation
from goexchange.model.backup_set import BackupSet, FileRole
from goexchange.model.plan import Consent, ConsentNeed
from goexchange.model.streaming_file import streaming_beside
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.paths import comparable
from goexchange.plan.refusals_2003 import others_on_logs


def refuse_pair(server: ActualServer, database: ActualDatabase) -> None:
    """Where both files, and the logs of both alone, can be moved together.

    Raises: NotNow with the reason where they cannot; nothing for other versions.
    """
    if server.generation is not Generation.EXCHANGE_2003:
        return
    name, path = database.name, database.streaming_path
    if server.cluster is not None:
        is_unknown = isinstance(server.cluster, Unknown)
        why = f"may be one of a cluster ({server.cluster})" if is_unknown else "is one of a cluster"
        raise NotNow(
            f"{server.name} {why}, of which another node would know nothing of the run: no file is"
            " put back"
        )
    if path is None or comparable(path) != comparable(streaming_beside(database.edb_path)):
        raise NotNow(
            f"the streaming file of {name} is {path or 'not known'}, and not"
            f" {streaming_beside(database.edb_path)}: both files of a database are moved together"
        )
    if database.is_mount_at_startup is not True:
        raise NotNow(
            f"{name} is not mounted at startup, or it is not known: Exchange 2003 mounts only what"
            " is. Let it be mounted at startup first, in Exchange System Manager"
        )
    if isinstance(server.public_stores, Unknown):
        raise NotNow(
            f"which public folder stores share the logs of {name} is not known:"
            f" {server.public_stores}"
        )
    sharing = others_on_logs(server, database)
    if sharing:
        raise NotNow(
            f"the logs of {name} in {database.log_folder} are those of {words.listed(sharing)} too:"
            " while another store of the storage group is mounted they cannot be moved aside."
            " Dismount the others for that time"
        )


def refuse_set_of_pair(body: BackupSet, database: ActualDatabase, *, has_replay: bool) -> None:
    """A set fits where it holds what the database is made of.

    Raises: Damaged for a set with one file too few or too many; NotNow for a replay into a pair.
    """
    seconds = [each for each in body.files if each.role is FileRole.STREAMING]
    is_pair = database.streaming_path is not None
    if len(seconds) != int(is_pair):
        raise Damaged(
            f"{body.set_id} holds {len(seconds)} streaming files, and {database.name} has"
            f" {int(is_pair)}"
        )
    if is_pair and has_replay:
        raise NotNow(
            "logs are not replayed into a pair of files of Exchange 2003: a set is put back as it"
            " was taken, without --until"
        )


def unconfirmed_pair(server: ActualServer, database: ActualDatabase) -> list[ConsentNeed]:
    """The version's tools are not confirmed: a person has to say that they may be used."""
    if database.streaming_path is None:
        return []
    return [
        ConsentNeed(
            consent=Consent.UNCONFIRMED_GENERATION,
            address=server.name,
            finding="what the tools of Exchange 2003 print and do there is not confirmed; what is"
            " not understood ends the work. Only that server's own eseutil can say that a streaming"
            " file is whole: it did when the set was made, and digests and headers are compared",
        )
    ]
