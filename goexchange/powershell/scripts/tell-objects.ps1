# goexchange host script: tell-objects, version 2
param($Arguments)

# To be read and written (3).
function Open-Store {
    $entry = [ADSI]('LDAP://<GUID=' + $identity + '>')
    if (@($entry.psbase.Properties['objectClass']) -notcontains 'msExchPrivateMDB') { throw ('no mailbox store: ' + $identity) }
    $address = 'LDAP://' + [string]$entry.psbase.Properties['distinguishedName'].Value
    $store.DataSource.Open($address, [Type]::Missing, 3)
}

function Set-Enabled([bool]$Wanted) {
    if ([bool]$store.Enabled -eq $Wanted) { return }
    $store.Enabled = $Wanted
    $store.DataSource.Save()
}

# Only a store that is enabled can be mounted, and one that is enabled is mounted at startup: both come back together, and
# neither where the mount fails. Never forced; what is mounted or dismounted already is left alone.
function Invoke-Mount {
    if ([int]$store.Status -eq 0) { return }
    $was = [bool]$store.Enabled
    Set-Enabled $true
    try { $store.Mount() }
    catch {
        Set-Enabled $was
        throw
    }
}

Assert-GxFence $Arguments.root $Arguments.fence
Assert-GxNode $Arguments.node
$identity = Assert-GxGuid ([string]$Arguments.identity)
if ([IntPtr]::Size -ne 4) { Stop-Gx 'no-management-objects' 'CDOEXM is 32-bit, and this process is not' }
try { $store = New-Object -ComObject CDOEXM.MailboxStoreDB }
catch { Stop-Gx 'no-management-objects' ([string]$_.Exception.Message) }

$failures = @()
try {
    Open-Store
    switch ([string]$Arguments.cmdlet) {
        'Mount-Database' { Invoke-Mount }
        'Dismount-Database' { if ([int]$store.Status -ne 1) { $store.Dismount() } }
        'Set-MailboxDatabase' { Set-Enabled ([bool]$Arguments.mount_at_startup) }
        default { throw ('nothing that is told: ' + $Arguments.cmdlet) }
    }
}
catch {
    $failures = @(ConvertTo-GxFailure $_ $Arguments.cmdlet)
}
@{ objects = @(); errors = @($failures); warnings = @() }
