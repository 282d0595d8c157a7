# goexchange host script: read-space, version 1
param($Arguments)

# The store of Exchange 2007 tells the free space of a database in the event log alone, after its nightly work.
$since = [DateTime]::UtcNow.AddHours(-1 * [int]$Arguments.hours)
$filter = @{ LogName = 'Application'; Id = @(1221); StartTime = $since.ToLocalTime() }
$events = @(Read-GxEvent $filter @('MSExchangeIS Mailbox Store', 'MSExchangeIS Public Store'))
@{ clock = Get-GxNow; events = @($events) }
