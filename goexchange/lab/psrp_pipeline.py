"""Pipelines of the Exchange endpoint: statement by statement, with their streams."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Callable, Coroutine
from uuid import UUID

import psrpcore
from attrs import define, evolve
from psrpcore import types

from goexchange.lab.psrp_statements import Action, CmdletFailed, Statement, read_statements
from goexchange.lab.psrp_values import error_record, selected, serialised_object
from goexchange.lab.site import SiteRefused, SiteThread
from goexchange.world.values import (
    CmdletAnswer,
    CmdletError,
    ErrorCategory,
    ExchangeObject,
    SiteHost,
    SiteUser,
)


@define(kw_only=True)
class CmdletRunner:
    """Calls the site's cmdlets for one user on one host."""

    site: SiteThread
    host: SiteHost
    user: SiteUser

    async def names(self) -> tuple[str, ...]:
        """The cmdlets that the user may call."""
        return await self.site.call(self.site.site.cmdlet_names, self.host.name)

    async def run(self, statement: Statement) -> CmdletAnswer:
        """Run one cmdlet.

        Raises: CmdletFailed for a cmdlet that does not exist, and when the site itself refuses.
        """
        known = {name.lower(): name for name in await self.names()}
        cmdlet = known.get(statement.cmdlet.lower())
        if cmdlet is None:
            raise CmdletFailed(_unknown_cmdlet(statement.cmdlet), command=statement.cmdlet)
        try:
            return await self.site.call(
                self.site.site.cmdlet, self.host.name, self.user.name, cmdlet,
                statement.parameters)
        except SiteRefused as error:
            refusal = CmdletError(message=f"goexchange lab: {error}",
                                  error_id=f"LabSiteRefused,{cmdlet}")
            raise CmdletFailed(refusal, command=cmdlet) from error


class PipelineRun:
    """One pipeline on its way; `is_over` once its final state is written."""

    def __init__(
        self, pipeline: psrpcore.ServerPipeline, runner: CmdletRunner, *,
        on_output: Callable[[], None],
    ) -> None:
        self.is_over = False
        self._pipeline = pipeline
        self._runner = runner
        self._on_output = on_output
        self._task: asyncio.Task[None] | None = None

    def start(self, powershell: psrpcore.PowerShell) -> None:
        """Run the statements of a pipeline."""
        self._begin(self._statements(powershell))

    def start_listing(self, wanted: psrpcore.GetMetadata) -> None:
        """Answer a request for command metadata."""
        self._begin(self._listing(wanted))

    async def stop(self) -> None:
        """Stop it, and say so to the client."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,))

    def abandon(self) -> None:
        """Stop it without a word."""
        if self._task is not None:
            self._task.cancel()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._whole(work))

    async def _whole(self, work: Coroutine[None, None, None]) -> None:
        self._pipeline.start()
        try:
            await work
            self._pipeline.complete()
        except asyncio.CancelledError:
            self._pipeline.stop()
        except CmdletFailed as failure:
            record = error_record(failure.error, command=failure.command)
            # psrpcore has no public way to fail a pipeline
            self._pipeline._change_state(types.PSInvocationState.Failed, error=record)
        finally:
            self.is_over = True
            self._on_output()

    async def _statements(self, powershell: psrpcore.PowerShell) -> None:
        """Run all statements.

        A batch of several goes on after an error that ends one of them, and the error is written
        to the error stream; a single statement fails the pipeline. Source: PowerShell's
        PowerShell.BatchInvocationCallback.
        """
        statements = read_statements(powershell)
        for statement in statements:
            try:
                await self._statement(statement)
            except CmdletFailed as failure:
                if len(statements) == 1:
                    raise
                self._write_error(failure.error, command=failure.command)

    async def _statement(self, statement: Statement) -> None:
        answer = await self._runner.run(statement)
        if answer.duration_s:
            self._on_output()
            await asyncio.sleep(answer.duration_s)
        if statement.warning_action is Action.CONTINUE:
            for warning in answer.warnings:
                self._pipeline.write_warning(warning)
        for source in answer.objects:
            self._pipeline.write_output(self._written(source, statement.properties))
        for error in answer.errors:
            if statement.error_action is Action.STOP:
                raise CmdletFailed(_stopped(error), command=statement.cmdlet)
            if statement.error_action is Action.CONTINUE:
                self._write_error(error, command=statement.cmdlet)
        if answer.terminating is not None:
            raise CmdletFailed(answer.terminating, command=statement.cmdlet)

    def _written(
        self, source: ExchangeObject, properties: tuple[str, ...] | None
    ) -> types.PSObject:
        computer, runspace_id = self._runner.host.fqdn, self._runspace_id
        if properties is None:
            return serialised_object(source, computer=computer, runspace_id=runspace_id)
        chosen = {
            name: source.properties.get(name)
            for pattern in properties for name in _matching(pattern, source)
        }
        return selected(source, chosen, computer=computer, runspace_id=runspace_id)

    @property
    def _runspace_id(self) -> UUID:
        return UUID(str(self._pipeline.runspace_pool.runspace_pool_id))

    def _write_error(self, error: CmdletError, *, command: str) -> None:
        record = error_record(error, command=command)
        self._pipeline.write_error(
            record.Exception, record.CategoryInfo, record.TargetObject,
            record.FullyQualifiedErrorId)

    async def _listing(self, wanted: psrpcore.GetMetadata) -> None:
        patterns = [str(pattern).lower() for pattern in wanted.name or ["*"]]
        names = [name for name in sorted(await self._runner.names())
                 if any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in patterns)]
        self._pipeline.write_output(types.CommandMetadataCount(Count=len(names)))
        for name in names:
            described = types.PSCustomObject()
            for key, value in {
                "Name": name, "Namespace": "", "HelpUri": "",
                "CommandType": types.CommandTypes.Cmdlet, "ResolvedCommandName": None,
                "OutputType": types.PSList(), "Parameters": types.PSDict(),
            }.items():
                types.add_note_property(described, key, value)
            self._pipeline.write_output(described)


def _matching(pattern: str, source: ExchangeObject) -> tuple[str, ...]:
    """The properties that a name or wildcard selects; a plain name is selected even if absent."""
    found = tuple(name for name in source.properties
                  if fnmatch.fnmatchcase(name.lower(), pattern.lower()))
    return found or (() if "*" in pattern else (pattern,))


def _unknown_cmdlet(name: str) -> CmdletError:
    return CmdletError(
        message=f"The term '{name}' is not recognized as the name of a cmdlet, function, script "
                "file, or operable program. Check the spelling of the name, or if a path was "
                "included, verify that the path is correct and try again.",
        exception_type="CommandNotFoundException", category=ErrorCategory.OBJECT_NOT_FOUND,
        error_id="CommandNotFoundException", target=name)


def _stopped(error: CmdletError) -> CmdletError:
    return evolve(error, message=(
        'The running command stopped because the preference variable "ErrorActionPreference" or '
        f"common parameter is set to Stop: {error.message}"))
