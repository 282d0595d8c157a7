# goexchange host script: ask-snapin, version 1
param($Arguments)

# What facts are read from; a property that the version does not have is left out, which makes it unknown.
$wanted = @(
    'Name', 'Guid', 'Identity', 'Fqdn', 'Edition', 'AdminDisplayVersion', 'ClusteredStorageType', 'RedundantMachines',
    'Server', 'StorageGroup', 'EdbFilePath', 'Recovery', 'MountAtStartup', 'Mounted', 'MountedOnServer', 'BackupInProgress',
    'LastFullBackup', 'LogFolderPath', 'LogFilePrefix', 'CircularLoggingEnabled', 'HasLocalCopy', 'StandbyMachines'
)

function ConvertTo-Plain($Value) {
    if ($null -eq $Value) { return $null }
    $plain = $Value
    if ($Value -is [System.Management.Automation.PSObject]) { $plain = $Value.PSObject.BaseObject }
    if ($plain -is [bool] -or $plain -is [string] -or $plain -is [int] -or $plain -is [long]) { return $plain }
    if ($plain -is [DateTime]) { return ConvertTo-GxTime $plain }
    if ($plain -is [System.Collections.IEnumerable]) {
        $texts = @()
        foreach ($member in $plain) { if ($null -ne $member) { $texts += $member.ToString() } }
        return , @($texts)
    }
    return $plain.ToString()
}

function ConvertTo-Bag($Found) {
    $bag = @{ '$type' = [string]$Found.PSObject.TypeNames[0] }
    foreach ($name in $wanted) {
        $property = $Found.PSObject.Properties[$name]
        if ($null -ne $property) { $bag[$name] = ConvertTo-Plain $property.Value }
    }
    return $bag
}

# One cmdlet of the closed list; data are only ever values of its parameters.
function Invoke-Call($Call) {
    $identity = [string]$Call.identity
    $server = [string]$Call.server
    $form = @{ WarningVariable = 'told'; WarningAction = 'SilentlyContinue' }
    if ($identity) { $form['Identity'] = $identity }
    if ($server) { $form['Server'] = $server }
    if ($form.Count -ne 3) { throw 'a call names one server or one database' }
    switch ([string]$Call.cmdlet) {
        'Get-ExchangeServer' { $found = @(Get-ExchangeServer @form) }
        'Get-MailboxServer' { $found = @(Get-MailboxServer @form) }
        'Get-StorageGroup' { $found = @(Get-StorageGroup @form) }
        'Get-Mailbox' {
            $form.Remove('Identity')
            $found = @(Get-Mailbox @form -Database $identity -ResultSize 1)
        }
        'Get-MailboxDatabase' {
            if ($Call.status) { $form['Status'] = $true }
            $found = @(Get-MailboxDatabase @form)
        }
        'Get-PublicFolderDatabase' {
            if ($Call.status) { $form['Status'] = $true }
            $found = @(Get-PublicFolderDatabase @form)
        }
        default { throw ('not a cmdlet that is asked: ' + $Call.cmdlet) }
    }
    foreach ($line in @($told)) { if ($null -ne $line) { $warnings.Add([string]$line.Message) } }
    foreach ($one in $found) { if ($null -ne $one) { $objects.Add((ConvertTo-Bag $one)) } }
}

try { Add-PSSnapin -Name Microsoft.Exchange.Management.PowerShell.Admin }
catch { Stop-Gx 'no-snap-in' ([string]$_.Exception.Message) }

$objects = New-Object -TypeName System.Collections.ArrayList
$errors = New-Object -TypeName System.Collections.ArrayList
$warnings = New-Object -TypeName System.Collections.ArrayList
foreach ($call in @($Arguments.calls)) {
    try { [void](Invoke-Call $call) }
    catch {
        [void]$errors.Add((ConvertTo-GxFailure $_ $call.cmdlet))
    }
}
@{ objects = @($objects.ToArray()); errors = @($errors.ToArray()); warnings = @($warnings.ToArray()) }
