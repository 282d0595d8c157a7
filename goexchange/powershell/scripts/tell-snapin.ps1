# goexchange host script: tell-snapin, version 2
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
Assert-GxNode $Arguments.node
$identity = Assert-GxGuid ([string]$Arguments.identity)

try { Add-PSSnapin -Name Microsoft.Exchange.Management.PowerShell.Admin }
catch { Stop-Gx 'no-snap-in' ([string]$_.Exception.Message) }

# Never forced; a question that nobody could answer ends the call.
$form = @{ Identity = $identity; Confirm = $false; WarningVariable = 'told'; WarningAction = 'SilentlyContinue' }
$failures = @()
try {
    switch ([string]$Arguments.cmdlet) {
        'Mount-Database' { Mount-Database @form }
        'Dismount-Database' { Dismount-Database @form }
        'Set-MailboxDatabase' { Set-MailboxDatabase @form -MountAtStartup ([bool]$Arguments.mount_at_startup) }
        'Set-PublicFolderDatabase' {
            Set-PublicFolderDatabase @form -MountAtStartup ([bool]$Arguments.mount_at_startup)
        }
        default { throw ('not a cmdlet that is sent: ' + $Arguments.cmdlet) }
    }
}
catch {
    $failures = @(ConvertTo-GxFailure $_ $Arguments.cmdlet)
}
$lines = @()
foreach ($line in @($told)) { if ($null -ne $line) { $lines += [string]$line.Message } }
@{ objects = @(); errors = @($failures); warnings = @($lines) }
