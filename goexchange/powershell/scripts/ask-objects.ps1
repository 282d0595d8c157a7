# goexchange host script: ask-objects, version 1
param($Arguments)

# Exchange 2003 has no cmdlets. Its management objects (CDOEXM, 32-bit, inside this process) and the directory are asked
# instead, and answer in the words of the cmdlets of later versions; what neither tells is left out, which makes it unknown.
if ([IntPtr]::Size -ne 4) { Stop-Gx 'no-management-objects' 'CDOEXM is 32-bit, and this process is not' }

function New-Manager([string]$Kind) {
    try { return New-Object -ComObject ('CDOEXM.' + $Kind) }
    catch { Stop-Gx 'no-management-objects' ([string]$_.Exception.Message) }
}

# Source: the vendor's enumeration of store states: 0 online, 1 offline, 2 mounting, 3 dismounting.
function Set-Status($Bag, $Status) {
    if ($null -eq $Status) { return }
    if ([int]$Status -eq 0) { $Bag['Mounted'] = $true }
    if ([int]$Status -eq 1) { $Bag['Mounted'] = $false }
}

# Both a name and an address of the directory are seen where the objects name each other.
function Get-Address([string]$Name) {
    if ($Name.StartsWith('LDAP://', [StringComparison]::OrdinalIgnoreCase)) { return $Name }
    return 'LDAP://' + $Name
}

function Get-Entry([string]$Name) {
    return [ADSI](Get-Address $Name)
}

# A store as the object and its entry in the directory have it; the two must name the same files.
function ConvertTo-Store([string]$Type, $Store, $Entry, $Group) {
    $bag = @{
        '$type' = $Type
        Name = [string]$Store.Name
        Guid = [string]$Entry.psbase.Guid
        Server = [string]$Group['Server']
        StorageGroup = [string]$Group['Name']
        Recovery = [bool]$Group['Recovery']
    }
    if ([string]$Store.DBPath -eq [string]$Entry.msExchEDBFile) { $bag['EdbFilePath'] = [string]$Store.DBPath }
    if ([string]$Store.SLVPath -eq [string]$Entry.msExchSLVFile) { $bag['StreamingFilePath'] = [string]$Store.SLVPath }
    if ($null -ne $Store.Enabled) { $bag['MountAtStartup'] = [bool]$Store.Enabled }
    Set-Status $bag $Store.Status
    return $bag
}

# Every storage group of a server, the one for recovery too: its base name of logs is R00.
function Get-Group([string]$Server) {
    $manager = New-Manager 'ExchangeServer'
    $manager.DataSource.Open($Server)
    $group = New-Manager 'StorageGroup'
    foreach ($address in @($manager.StorageGroups)) {
        $group.DataSource.Open((Get-Address $address))
        $entry = Get-Entry $address
        $prefix = [string]$entry.msExchESEParamBaseName
        @{
            '$type' = 'StorageGroup'
            Name = [string]$group.Name
            Guid = [string]$entry.psbase.Guid
            Server = $Server
            LogFolderPath = [string]$group.LogFilePath
            LogFilePrefix = $prefix
            CircularLoggingEnabled = [bool]$group.CircularLogging
            Recovery = ($prefix -eq 'R00')
            MailboxStores = @($group.MailboxStoreDBs)
            PublicStores = @($group.PublicStoreDBs)
        }
    }
}

function Get-Store([string]$Server) {
    $mailbox = New-Manager 'MailboxStoreDB'
    $public = New-Manager 'PublicStoreDB'
    foreach ($group in @(Get-Group $Server)) {
        foreach ($address in $group['MailboxStores']) {
            if (-not $address) { continue }
            $mailbox.DataSource.Open((Get-Address $address))
            ConvertTo-Store 'MailboxDatabase' $mailbox (Get-Entry $address) $group
        }
        foreach ($address in $group['PublicStores']) {
            if (-not $address) { continue }
            $public.DataSource.Open((Get-Address $address))
            ConvertTo-Store 'PublicFolderDatabase' $public (Get-Entry $address) $group
        }
    }
}

# One store by the GUID of its entry; which server it is of is not needed to see how it is.
function Get-OneStore([string]$Guid) {
    $entry = Get-Entry ('<GUID=' + (Assert-GxGuid $Guid) + '>')
    if (@($entry.psbase.Properties['objectClass']) -notcontains 'msExchPrivateMDB') { throw ('no mailbox store: ' + $Guid) }
    $store = New-Manager 'MailboxStoreDB'
    $store.DataSource.Open((Get-Address ([string]$entry.psbase.Properties['distinguishedName'].Value)))
    return ConvertTo-Store 'MailboxDatabase' $store $entry @{ Server = ''; Name = ''; Recovery = $false }
}

# A store of this machine by the name that a pilot gave it.
function Get-NamedStore([string]$Name) {
    if ($Name -notmatch '^gx-pilot-[0-9]{8}T[0-9]{6}Z$') { throw ('neither a GUID nor the name of a pilot: ' + $Name) }
    $found = @(Get-Store $env:COMPUTERNAME | Where-Object { $_['Name'] -eq $Name })
    if ($found.Count -ne 1) { throw ('no mailbox store: ' + $Name) }
    return $found[0]
}

# Everybody whose mailbox the directory puts into the store, of any domain: the global catalog is asked. The mailbox that
# the store keeps for itself is nobody's.
function Get-OneMailbox([string]$Guid) {
    $entry = Get-Entry ('<GUID=' + (Assert-GxGuid $Guid) + '>')
    $named = [string]$entry.psbase.Properties['distinguishedName'].Value
    foreach ($pair in @(@('\', '\5c'), @('*', '\2a'), @('(', '\28'), @(')', '\29'))) { $named = $named.Replace($pair[0], $pair[1]) }
    $root = $null
    foreach ($child in ([ADSI]'GC:').psbase.Children) { $root = $child }
    if ($null -eq $root) { throw 'no global catalog answers' }
    $search = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList $root
    $search.Filter = '(&(homeMDB=' + $named + ')(!(objectClass=msExchSystemMailbox)))'
    $search.SizeLimit = 1
    foreach ($one in $search.FindAll()) { @{ '$type' = 'Mailbox'; Name = [string]$one.Path } }
}

function Invoke-Call($Call) {
    $identity = [string]$Call.identity
    $server = [string]$Call.server
    switch ([string]$Call.cmdlet) {
        'Get-StorageGroup' {
            foreach ($group in @(Get-Group $server)) {
                $group.Remove('MailboxStores')
                $group.Remove('PublicStores')
                $group
            }
        }
        'Get-MailboxDatabase' {
            if ($identity.StartsWith('gx-pilot-')) { Get-NamedStore $identity }
            elseif ($identity) { Get-OneStore $identity }
            else { Get-Store $server }
        }
        'Get-Mailbox' { Get-OneMailbox $identity }
        default { throw ('nothing that is asked there: ' + $Call.cmdlet) }
    }
}

$objects = New-Object -TypeName System.Collections.ArrayList
$errors = New-Object -TypeName System.Collections.ArrayList
foreach ($call in @($Arguments.calls)) {
    try {
        foreach ($one in @(Invoke-Call $call)) { if ($null -ne $one) { [void]$objects.Add($one) } }
    }
    catch {
        if ($_.Exception.Data.Contains('gx-code')) { throw }
        [void]$errors.Add((ConvertTo-GxFailure $_ $call.cmdlet))
    }
}
@{ objects = @($objects.ToArray()); errors = @($errors.ToArray()); warnings = @() }
