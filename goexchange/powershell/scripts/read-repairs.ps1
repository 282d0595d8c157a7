# goexchange host script: read-repairs, version 1
param($Arguments)

# The store of Exchange 2010 tells of its repair requests in the event log alone.
$repairIds = @(10045, 10047, 10048, 10049, 10050, 10051, 10059, 10062)
$since = [DateTime]::UtcNow.AddHours(-1 * [int]$Arguments.hours)
$filter = @{ LogName = 'Application'; Id = $repairIds; StartTime = $since.ToLocalTime() }
$events = @(Read-GxEvent $filter @('MSExchangeIS Mailbox Store'))
@{ clock = Get-GxNow; events = @($events) }
