# goexchange host script: pilot-objects, version 1
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

function New-Manager([string]$Kind) {
    try { return New-Object -ComObject ('CDOEXM.' + $Kind) }
    catch { Stop-Gx 'no-management-objects' ([string]$_.Exception.Message) }
}

function Get-Address([string]$Name) {
    if ($Name.StartsWith('LDAP://', [StringComparison]::OrdinalIgnoreCase)) { return $Name }
    return 'LDAP://' + $Name
}

# To be read and written (3).
function Open-Changing($Object, [string]$Address) {
    $Object.DataSource.Open((Get-Address $Address), [Type]::Missing, 3)
}

function Get-GroupAddress([string]$Server) {
    $manager = New-Manager 'ExchangeServer'
    $manager.DataSource.Open($Server)
    return @($manager.StorageGroups)
}

# The address whose first name is that of the pilot.
function Find-Own($Addresses) {
    foreach ($address in @($Addresses)) {
        if ($address -and ([string]$address -match ('(^|/)CN=' + [regex]::Escape($name) + ','))) { return [string]$address }
    }
    throw ('not found: ' + $name)
}

# The paths of what is new are said before it is saved: they are its first ones.
function New-Group {
    $logs = [string]$Arguments.log_folder
    New-OwnFolder $logs
    $other = [string](Get-GroupAddress $server)[0]
    $at = $other.IndexOf('CN=InformationStore,', [StringComparison]::OrdinalIgnoreCase)
    if ($at -lt 0) { throw ('no information store in ' + $other) }
    $group = New-Manager 'StorageGroup'
    $group.Name = $name
    $group.MoveLogFiles($logs, 0)
    $group.MoveSystemFiles($logs, 0)
    $group.DataSource.SaveTo('LDAP://CN=' + $name + ',' + $other.Substring($at))
}

# A mailbox store names a public folder store and an address list: those of one that is there already.
function New-Store {
    $file = [string]$Arguments.edb_path
    New-OwnFolder ([System.IO.Path]::GetDirectoryName($file))
    $addresses = Get-GroupAddress $server
    $own = (Find-Own $addresses) -replace '^LDAP://([^/=]*/)?', ''
    $group = New-Manager 'StorageGroup'
    $like = $null
    foreach ($address in $addresses) {
        if ($null -ne $like -or [string]$address -match 'CN=gx-pilot-') { continue }
        $group.DataSource.Open((Get-Address ([string]$address)))
        foreach ($one in @($group.MailboxStoreDBs)) {
            if (-not $one -or $null -ne $like) { continue }
            $like = New-Manager 'MailboxStoreDB'
            $like.DataSource.Open((Get-Address ([string]$one)))
        }
    }
    if ($null -eq $like) { throw 'there is no mailbox store whose public folder store could be named' }
    $store = New-Manager 'MailboxStoreDB'
    $store.Name = $name
    $store.PublicStoreDB = $like.PublicStoreDB
    if ($like.OfflineAddressList) { $store.OfflineAddressList = $like.OfflineAddressList }
    $store.Enabled = $true
    $store.MoveDataFiles($file, [System.IO.Path]::ChangeExtension($file, '.stm'), 0)
    $store.DataSource.SaveTo('LDAP://CN=' + $name + ',' + $own)
}

# The server that is asked is this machine: a clustered one has no pilots.
function Invoke-Mount {
    $group = New-Manager 'StorageGroup'
    $group.DataSource.Open((Get-Address (Find-Own (Get-GroupAddress $env:COMPUTERNAME))))
    $store = New-Manager 'MailboxStoreDB'
    Open-Changing $store (Find-Own $group.MailboxStoreDBs)
    if ([int]$store.Status -ne 0) { $store.Mount() }
}

# Only a store that a pilot has made is ever removed; the objects refuse one that holds a mailbox.
function Remove-OwnStore {
    $entry = [ADSI]('LDAP://<GUID=' + (Assert-GxGuid ([string]$Arguments.identity)) + '>')
    $kinds = @($entry.psbase.Properties['objectClass'])
    if ($kinds -notcontains 'msExchPrivateMDB') { throw ('no mailbox store: ' + $Arguments.identity) }
    $store = New-Manager 'MailboxStoreDB'
    Open-Changing $store ([string]$entry.psbase.Properties['distinguishedName'].Value)
    Assert-Own ([string]$store.Name)
    $store.DataSource.Delete()
}

function Remove-OwnGroup {
    $group = New-Manager 'StorageGroup'
    Open-Changing $group (Find-Own (Get-GroupAddress $server))
    if (@($group.MailboxStoreDBs | Where-Object { $_ }).Count -ne 0) { throw ('it holds a store: ' + $name) }
    $group.DataSource.Delete()
}

Assert-GxFence $Arguments.root $Arguments.fence
$name = [string]$Arguments.name
$server = [string]$Arguments.server
if ([string]$Arguments.cmdlet -ne 'Remove-MailboxDatabase') { Assert-Own $name }
if ([IntPtr]::Size -ne 4) { Stop-Gx 'no-management-objects' 'CDOEXM is 32-bit, and this process is not' }

$failures = @()
try {
    switch ([string]$Arguments.cmdlet) {
        'New-StorageGroup' { New-Group }
        'New-MailboxDatabase' { New-Store }
        'Mount-Database' { Invoke-Mount }
        'Remove-MailboxDatabase' { Remove-OwnStore }
        'Remove-StorageGroup' { Remove-OwnGroup }
        default { throw ('nothing that a pilot does: ' + $Arguments.cmdlet) }
    }
}
catch {
    if ($_.Exception.Data.Contains('gx-code')) { throw }
    $failures = @(ConvertTo-GxFailure $_ $Arguments.cmdlet)
}
@{ objects = @(); errors = @($failures); warnings = @() }
