"""Which volume, file or log folder of a host a Windows path is about."""

from __future__ import annotations

from goexchange.model.actual import ActualHost, FileFacts, LogFolder, Volume
from goexchange.model.unknown import Unknown


def volume_of(host: ActualHost | Unknown, path: str) -> Volume | Unknown:
    """The volume a path lies on: the one with the longest mount point, for folders can be mount
    points too.
    """
    if isinstance(host, Unknown):
        return host
    if isinstance(host.volumes, Unknown):
        return host.volumes
    fitting = [one for one in host.volumes if path.lower().startswith(one.mount_point.lower())]
    if not fitting:
        return Unknown(f"no volume of {host.name} holds {path}")
    return max(fitting, key=lambda volume: len(volume.mount_point))


def file_facts_of(host: ActualHost | Unknown, path: str) -> FileFacts | Unknown:
    """What the file system says of a file that the observation asked for."""
    if isinstance(host, Unknown):
        return host
    if isinstance(host.files, Unknown):
        return host.files
    for one in host.files:
        if one.path.lower() == path.lower():
            return one
    return Unknown(f"{path} was not asked for")


def log_folder_of(host: ActualHost | Unknown, folder: str) -> LogFolder | Unknown:
    """The log files of a folder that the observation asked for."""
    if isinstance(host, Unknown):
        return host
    if isinstance(host.log_folders, Unknown):
        return host.log_folders
    for one in host.log_folders:
        if one.folder.rstrip("\\").lower() == folder.rstrip("\\").lower():
            return one
    return Unknown(f"{folder} was not asked for")
