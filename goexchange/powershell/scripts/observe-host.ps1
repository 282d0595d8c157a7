# goexchange host script: observe-host, version 1
param($Arguments)

$backupWords = 'wbadmin|ntbackup|veeam|bpbackup|bpbkar|beremote|bemcli|qoperation|diskshadow|backup|eseutil|goexchange'
$processNames = @(
    'wbengine', 'wbadmin', 'ntbackup', 'bpbkar32', 'VeeamAgent', 'VeeamGuestHelper', 'beremote', 'cvd', 'clBackup',
    'diskshadow', 'eseutil', 'ExSetup', 'ExSetupUI', 'TiWorker'
)
$serviceNames = @(
    'WSBExchange', 'wbengine', 'VSS', 'swprv', 'FMS', 'HostControllerService', 'W3SVC', 'IISADMIN', 'WinRM', 'ClusSvc'
)
$storageIds = @(474, 475, 476, 477, 481, 482, 507, 508, 509, 510, 515, 516, 530, 531, 532, 533)
$storageProviders = @('disk', 'Ntfs', 'Microsoft-Windows-Ntfs', 'storport', 'storahci', 'iScsiPrt', 'mpio', 'volmgr')
$backupIds = @(210, 211, 212, 213, 214, 215, 217, 221, 224, 225, 226, 2005, 2006, 2007, 2008, 2009, 2010)
$backupProviders = @('ESE', 'ESE BACKUP', 'MSExchangeIS', 'MSExchangeRepl')

$since = [DateTime]::Parse([string]$Arguments.events_since, [System.Globalization.CultureInfo]::InvariantCulture)
$root = [string]$Arguments.root
$answer = @{
    host = $null
    exchange = @{ exsetup_version = $null; eseutil_version = $null; eseutil_path = $null }
    volumes = @()
    services = @()
    asked_services = @{ asked = @(); told = @() }
    tasks = @()
    processes = @()
    files = @()
    log_folders = @()
    storage_events = @()
    backup_events = @()
    windows_backup = @{
        is_installed = $false
        is_running = $false
        last_success = $null
        last_result = $null
        next_scheduled = $null
    }
    is_reboot_pending = $false
    replication_queues = $null
    cluster_nodes = $null
    fence = 0
    records = @()
    recoveries = @()
    failures = @()
}

# A part that fails is named in `failures` and stays as above: the controller takes it as unknown, whatever it holds.
function Read-Part([string]$Part, [scriptblock]$Read) {
    try {
        $answer[$Part] = & $Read
    }
    catch {
        $answer['failures'] += @{ part = $Part; message = [string]$_.Exception.Message }
    }
}

function Read-List([string]$Part, [scriptblock]$Read) {
    try {
        $answer[$Part] = @(& $Read)
    }
    catch {
        $answer['failures'] += @{ part = $Part; message = [string]$_.Exception.Message }
    }
}

function Get-FileVersion([string]$Path) {
    if (-not [System.IO.File]::Exists($Path)) { return $null }
    $version = [System.Diagnostics.FileVersionInfo]::GetVersionInfo($Path)
    $parts = @($version.FileMajorPart, $version.FileMinorPart, $version.FileBuildPart, $version.FilePrivatePart)
    return $parts -join '.'
}

function Get-RegistryKey([string]$Path) {
    return [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($Path)
}

function Assert-Readable {
    if (-not [System.IO.Directory]::Exists($root)) { return $false }
    $weakness = Get-GxWeakness $root
    if ($weakness) { throw ('the folder ' + $root + ' is not private: ' + $weakness) }
    return $true
}

$boot = Get-GxBoot
$identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
$answer['host'] = @{
    name = [Environment]::MachineName
    boot_id = $boot['id']
    booted_at = $boot['booted_at']
    clock = Get-GxNow
    powershell = [string]$PSVersionTable.PSVersion
    is_elevated = $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

Read-Part 'exchange' {
    $found = @{ exsetup_version = $null; eseutil_version = $null; eseutil_path = $null }
    # Where Exchange 2007 writes it down is not confirmed: a key without a folder is passed over.
    foreach ($generation in @('ExchangeServer\v15', 'ExchangeServer\v14', 'Exchange\v8.0', 'Exchange')) {
        $key = Get-RegistryKey ('SOFTWARE\Microsoft\' + $generation + '\Setup')
        if ($null -eq $key -or -not $key.GetValue('MsiInstallPath')) { continue }
        $bin = [System.IO.Path]::Combine([string]$key.GetValue('MsiInstallPath'), 'Bin')
        $tool = [System.IO.Path]::Combine($bin, 'eseutil.exe')
        $found['exsetup_version'] = Get-FileVersion ([System.IO.Path]::Combine($bin, 'ExSetup.exe'))
        $found['eseutil_version'] = Get-FileVersion $tool
        if ($found['eseutil_version']) { $found['eseutil_path'] = $tool }
        break
    }
    $found
}

Read-List 'volumes' {
    $volumes = @{}
    foreach ($volume in @(Get-CimInstance -ClassName Win32_Volume)) {
        if ($null -ne $volume.Capacity) { $volumes[[string]$volume.DeviceID] = $volume }
    }
    # Mount points, not drive letters: a volume can be mounted at several folders.
    foreach ($point in @(Get-CimInstance -ClassName Win32_MountPoint)) {
        $volume = $volumes[[string]$point.Volume.DeviceID]
        if ($null -eq $volume) { continue }
        $isLocal = [int]$volume.DriveType -eq 3
        $folder = ([string]$point.Directory.Name).TrimEnd('\') + '\'
        @{
            mount_point = $folder
            label = [string]$volume.Label
            size_bytes = [long]$volume.Capacity
            free_bytes = [long]$volume.FreeSpace
            is_local = $isLocal
        }
    }
}

Read-List 'services' {
    foreach ($service in @(Get-CimInstance -ClassName Win32_Service)) {
        $name = [string]$service.Name
        if ($name -notlike 'MSExchange*' -and $serviceNames -notcontains $name) { continue }
        $start = [string]$service.StartMode
        if ($start -eq 'Auto') { $start = 'Automatic' }
        @{ name = $name; state = [string]$service.State; start_type = $start }
    }
}

# Services that somebody asks for by name. Where one of them is not there, every service is told, so that the
# controller can say which one was meant.
if ($Arguments.services) {
    Read-Part 'asked_services' {
        $asked = @($Arguments.services)
        $every = @(Get-CimInstance -ClassName Win32_Service)
        $names = @($every | ForEach-Object -Process { [string]$_.Name })
        $missing = @($asked | Where-Object -FilterScript { $names -notcontains $_ })
        $told = @()
        foreach ($service in $every) {
            if ($missing.Count -eq 0 -and $asked -notcontains [string]$service.Name) { continue }
            $start = [string]$service.StartMode
            if ($start -eq 'Auto') { $start = 'Automatic' }
            $told += @{
                name = [string]$service.Name
                display_name = [string]$service.DisplayName
                state = [string]$service.State
                start_type = $start
            }
        }
        @{ asked = $asked; told = $told }
    }
}

Read-List 'tasks' {
    foreach ($task in @(Get-ScheduledTask)) {
        $actions = @()
        foreach ($action in @($task.Actions)) {
            if ($action.Execute) { $actions += ([string]$action.Execute + ' ' + [string]$action.Arguments).Trim() }
        }
        # Windows' own idle tasks have no command line and are no backups, whatever their names say.
        if ($actions.Count -eq 0) { continue }
        $words = [string]$task.TaskPath + [string]$task.TaskName + ' ' + ($actions -join ' ')
        if ($words -notmatch $backupWords) { continue }
        $next = (Get-ScheduledTaskInfo -InputObject $task).NextRunTime
        @{
            name = ([string]$task.TaskPath + [string]$task.TaskName)
            state = [string]$task.State
            actions = @($actions)
            next_run = (ConvertTo-GxTime $next)
        }
    }
}

Read-List 'processes' {
    foreach ($process in @(Get-Process)) {
        if ($processNames -notcontains $process.ProcessName) { continue }
        $begun = $null
        try { $begun = ConvertTo-GxTime $process.StartTime }
        catch { $begun = $null }
        @{ name = [string]$process.ProcessName; id = [int]$process.Id; started_at = $begun }
    }
}

Read-List 'files' {
    foreach ($path in @($Arguments.paths)) {
        $file = $null
        try { $file = Get-Item -LiteralPath $path -Force }
        catch [System.Management.Automation.ItemNotFoundException] { $file = $null }
        if ($null -eq $file) {
            @{ path = [string]$path; exists = $false; size_bytes = $null; created_at = $null; modified_at = $null }
        }
        else {
            @{
                path = [string]$path
                exists = $true
                size_bytes = [long]$file.Length
                created_at = (ConvertTo-GxTime $file.CreationTimeUtc)
                modified_at = (ConvertTo-GxTime $file.LastWriteTimeUtc)
            }
        }
    }
}

Read-List 'log_folders' {
    foreach ($folder in @($Arguments.log_folders)) {
        $logs = @(Get-ChildItem -LiteralPath $folder -Force | Where-Object -FilterScript { $_.Extension -eq '.log' })
        $total = [long]0
        foreach ($log in $logs) { $total = $total + [long]$log.Length }
        @{ folder = [string]$folder; count = $logs.Count; total_bytes = $total }
    }
}

Read-List 'storage_events' {
    Read-GxEvent @{ LogName = 'Application'; ProviderName = 'ESE'; Id = $storageIds; StartTime = $since } @('ESE')
    Read-GxEvent @{ LogName = 'System'; Level = @(1, 2, 3); StartTime = $since } $storageProviders
}

Read-List 'backup_events' {
    Read-GxEvent @{ LogName = 'Application'; Id = $backupIds; StartTime = $since } $backupProviders
}

Read-Part 'windows_backup' {
    $found = @{
        is_installed = $false
        is_running = $false
        last_success = $null
        last_result = $null
        next_scheduled = $null
    }
    if (Get-Command -Name Get-WBSummary -ErrorAction SilentlyContinue) {
        $summary = Get-WBSummary
        $job = Get-WBJob
        $found['is_installed'] = $true
        $found['is_running'] = ($null -ne $job -and [string]$job.JobState -eq 'Running')
        $found['last_success'] = ConvertTo-GxTime $summary.LastSuccessfulBackupTime
        if ($null -ne $summary.LastBackupResultHR) { $found['last_result'] = [long]$summary.LastBackupResultHR }
        $found['next_scheduled'] = ConvertTo-GxTime $summary.NextBackupTime
    }
    $found
}

Read-Part 'is_reboot_pending' {
    $windows = 'SOFTWARE\Microsoft\Windows\CurrentVersion\'
    $isPending = $false
    foreach ($sign in @('Component Based Servicing\RebootPending', 'WindowsUpdate\Auto Update\RebootRequired')) {
        if ($null -ne (Get-RegistryKey ($windows + $sign))) { $isPending = $true }
    }
    $manager = Get-RegistryKey 'SYSTEM\CurrentControlSet\Control\Session Manager'
    if (@($manager.GetValue('PendingFileRenameOperations')).Count -gt 1) { $isPending = $true }
    $isPending
}

# Replication messages that public stores have still to work in; most hosts have neither store nor counter.
Read-Part 'replication_queues' {
    $queues = @()
    try {
        foreach ($one in @(Get-CimInstance -ClassName Win32_PerfFormattedData_MSExchangeIS_MSExchangeISPublic)) {
            if ($null -eq $one.ReplicationReceiveQueueSize) { continue }
            $queues += @{ name = [string]$one.Name; waiting = [long]$one.ReplicationReceiveQueueSize }
        }
    }
    catch { $queues = $null }
    if ($null -eq $queues) { $null } else { , @($queues) }
}

# The cluster cmdlets come with RSAT-Clustering-PowerShell, from Windows Server 2008 R2 on; without them it is unknown.
if ($Arguments.cluster) {
    Read-List 'cluster_nodes' {
        Import-Module -Name FailoverClusters
        foreach ($node in @(Get-ClusterNode)) { @{ name = [string]$node.Name; state = [string]$node.State } }
    }
}

Read-Part 'fence' {
    $path = [System.IO.Path]::Combine($root, 'fence.json')
    $number = [long]0
    if ((Assert-Readable) -and [System.IO.File]::Exists($path)) { $number = [long](Read-GxJson $path).fence }
    $number
}

Read-List 'records' {
    $folder = [System.IO.Path]::Combine($root, 'databases')
    if ((Assert-Readable) -and [System.IO.Directory]::Exists($folder)) {
        foreach ($path in [System.IO.Directory]::GetFiles($folder, '*.json')) { Read-GxJson $path }
    }
}

Read-List 'recoveries' {
    $folder = [System.IO.Path]::Combine($root, 'recovery')
    if ((Assert-Readable) -and [System.IO.Directory]::Exists($folder)) {
        $everywhere = [System.IO.SearchOption]::AllDirectories
        foreach ($path in [System.IO.Directory]::GetFiles($folder, 'record.json', $everywhere)) {
            $record = Read-GxJson $path
            if ([string]$record.state -ne 'closed') { $record }
        }
    }
}

$answer
