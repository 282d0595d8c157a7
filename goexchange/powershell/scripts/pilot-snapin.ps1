# goexchange host script: pilot-snapin, version 1
param($Arguments)

# Nothing but what a pilot has made, or makes, may be named here.
function Assert-Own([string]$Name) {
    if ($Name -notmatch '^gx-pilot-[0-9]{8}T[0-9]{6}Z$') { Stop-Gx 'not-a-pilot' ($Name + ' is not the name of a pilot') }
}

function New-OwnFolder([string]$Folder) {
    $parent = [System.IO.Path]::GetFileName([System.IO.Path]::GetDirectoryName($Folder))
    if ($parent -ne $name) { Stop-Gx 'not-a-pilot' ($Folder + ' is not in the folder of the pilot') }
    [void][System.IO.Directory]::CreateDirectory($Folder)
}

# Only the object of a database that a pilot has made is ever removed; Exchange refuses one that holds a mailbox.
function Remove-Own {
    $identity = Assert-GxGuid ([string]$Arguments.identity)
    $found = @(Get-MailboxDatabase -Identity $identity)
    if ($found.Count -ne 1) { throw ('not one database: ' + $identity) }
    Assert-Own ([string]$found[0].Name)
    Remove-MailboxDatabase @form -Identity $identity -Confirm:$false
}

Assert-GxFence $Arguments.root $Arguments.fence
$name = [string]$Arguments.name
$server = [string]$Arguments.server
$group = $server + '\' + $name
if ([string]$Arguments.cmdlet -ne 'Remove-MailboxDatabase') { Assert-Own $name }

try { Add-PSSnapin -Name Microsoft.Exchange.Management.PowerShell.Admin }
catch { Stop-Gx 'no-snap-in' ([string]$_.Exception.Message) }

$form = @{ WarningVariable = 'told'; WarningAction = 'SilentlyContinue' }
$failures = @()
try {
    switch ([string]$Arguments.cmdlet) {
        'New-StorageGroup' {
            $logs = [string]$Arguments.log_folder
            New-OwnFolder $logs
            [void](New-StorageGroup @form -Name $name -Server $server -LogFolderPath $logs -SystemFolderPath $logs)
        }
        'New-MailboxDatabase' {
            $file = [string]$Arguments.edb_path
            New-OwnFolder ([System.IO.Path]::GetDirectoryName($file))
            [void](New-MailboxDatabase @form -Name $name -StorageGroup $group -EdbFilePath $file)
        }
        'Mount-Database' { Mount-Database @form -Identity $name }
        'Remove-MailboxDatabase' { Remove-Own }
        'Remove-StorageGroup' { Remove-StorageGroup @form -Identity $group -Confirm:$false }
        default { throw ('not a cmdlet that is sent: ' + $Arguments.cmdlet) }
    }
}
catch {
    if ($_.Exception.Data.Contains('gx-code')) { throw }
    $failures = @(ConvertTo-GxFailure $_ $Arguments.cmdlet)
}
$lines = @()
foreach ($line in @($told)) { if ($null -ne $line) { $lines += [string]$line.Message } }
@{ objects = @(); errors = @($failures); warnings = @($lines) }
