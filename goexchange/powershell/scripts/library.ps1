# goexchange host script: library, version 1
# What all host scripts share. Windows PowerShell 2.0 to 5.1 (`legacy` stands in for what 2.0 lacks); ASCII only; arguments are data, never text to run.

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$GxUtf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
$GxTrusted = @('S-1-5-18', 'S-1-5-32-544')
$GxTaskPath = '\goexchange\'
$GxShell = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'WindowsPowerShell\v1.0\powershell.exe')
$GxTimeFormat = 'yyyy-MM-ddTHH:mm:ss.fffffffZ'

# --- refusals and the envelope -----------------------------------------------------------------

function Stop-Gx([string]$Code, [string]$Message) {
    $failure = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    $failure.Data['gx-code'] = $Code
    throw $failure
}

function Get-GxCode($Exception) {
    $inner = $Exception
    while ($null -ne $inner) {
        if ($inner.Data.Contains('gx-code')) { return [string]$inner.Data['gx-code'] }
        if ($inner -is [System.IO.FileNotFoundException]) { return 'file-not-found' }
        if ($inner -is [System.IO.DirectoryNotFoundException]) { return 'file-not-found' }
        if ($inner -is [System.IO.IOException]) {
            $number = [System.Runtime.InteropServices.Marshal]::GetHRForException($inner) -band 65535
            if (@(39, 112) -contains $number) { return 'disk-full' }
            if (@(32, 33) -contains $number) { return 'file-in-use' }
            if (@(80, 183) -contains $number) { return 'path-exists' }
        }
        $inner = $inner.InnerException
    }
    return 'internal'
}

function Write-GxEnvelope([string]$Script, [int]$Version, [bool]$IsWell, $Body) {
    $text = ConvertTo-Json -InputObject $Body -Depth 32 -Compress
    $content = $GxUtf8.GetBytes($text)
    $packed = New-Object -TypeName System.IO.MemoryStream
    $mode = [System.IO.Compression.CompressionMode]::Compress
    $packer = New-Object -TypeName System.IO.Compression.GZipStream -ArgumentList @($packed, $mode)
    $packer.Write($content, 0, $content.Length)
    $packer.Dispose()
    $body64 = [Convert]::ToBase64String($packed.ToArray())
    $ok = 'false'
    if ($IsWell) { $ok = 'true' }
    $head = '{"goexchange":"envelope/1","script":"' + $Script + '","version":' + $Version
    [Console]::Out.WriteLine($head + ',"ok":' + $ok + ',"encoding":"gzip+base64","body":"' + $body64 + '"}')
}

# Runs one script with its arguments and answers with one envelope; gives the exit code.
function Invoke-GxScript([string]$Text, [string]$Document) {
    $mark = [regex]::Match($Text, '^# goexchange host script: ([a-z-]+), version ([0-9]+)')
    $name = $mark.Groups[1].Value
    $version = [int]$mark.Groups[2].Value
    try {
        $values = ConvertFrom-Json -InputObject $Document
        $found = @(& ([ScriptBlock]::Create($Text)) $values)
        if ($found.Count -ne 1) { throw ('the script gave ' + $found.Count + ' results') }
        Write-GxEnvelope $name $version $true $found[0]
        return 0
    }
    catch {
        $body = @{ code = (Get-GxCode $_.Exception); message = [string]$_.Exception.Message }
        Write-GxEnvelope $name $version $false $body
        return 1
    }
}

# A script that stands alone gets the stand-ins for JSON with it, behind its parameters.
function Add-GxStandIn([string]$Text) {
    if (-not $GxIsOld) { return $Text }
    $added = "[void][System.Reflection.Assembly]::LoadWithPartialName('System.Web.Extensions')`n"
    foreach ($name in @('ConvertTo-GxJsonText', 'ConvertTo-Json', 'ConvertFrom-GxPlain', 'ConvertFrom-Json')) {
        $added = $added + 'function ' + $name + " {`n" + (Get-Item -LiteralPath ('function:' + $name)).Definition + "`n}`n"
    }
    $head = $Text.IndexOf("`n") + 1
    return $Text.Substring(0, $head) + $added + $Text.Substring($head)
}

# --- times, JSON, digests, flushed writes ------------------------------------------------------

function ConvertTo-GxTime($Moment) {
    if ($null -eq $Moment -or ([DateTime]$Moment).Year -lt 1980) { return $null }
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    return ([DateTime]$Moment).ToUniversalTime().ToString($GxTimeFormat, $culture)
}

function Get-GxNow {
    return ConvertTo-GxTime ([DateTime]::UtcNow)
}

function Open-GxFile([string]$Path, [System.IO.FileMode]$Mode, [System.IO.FileAccess]$Access, [System.IO.FileShare]$Share) {
    if ($GxIsOld -and $Access -eq [System.IO.FileAccess]::Write) {
        $form = @($Path, $Mode, $Access, $Share, 4096, [System.IO.FileOptions]::WriteThrough)
        return New-Object -TypeName System.IO.FileStream -ArgumentList $form
    }
    return [System.IO.File]::Open($Path, $Mode, $Access, $Share)
}

# To the disk, not only to Windows. .NET 3.5 cannot say so: there what is written was opened to be written through.
function Save-GxStream($Stream) {
    if ($GxIsOld) { $Stream.Flush() }
    else { $Stream.Flush($true) }
}

function Join-GxPath([string]$Folder, [string[]]$Names) {
    foreach ($name in $Names) { $Folder = [System.IO.Path]::Combine($Folder, $name) }
    return $Folder
}

# Every write goes to the disk before it counts as done.
function Open-GxWriteThrough([string]$Path) {
    $through = [System.IO.FileOptions]::WriteThrough
    $mode = [System.IO.FileMode]::Create
    $access = [System.IO.FileAccess]::Write
    $share = [System.IO.FileShare]::None
    $form = @($Path, $mode, $access, $share, 4096, $through)
    return New-Object -TypeName System.IO.FileStream -ArgumentList $form
}

function Read-GxBytes([string]$Path, [long]$Offset, [int]$Count) {
    $stream = Open-GxFile $Path 'Open' 'Read' 'ReadWrite, Delete'
    try {
        [void]$stream.Seek($Offset, [System.IO.SeekOrigin]::Begin)
        $left = [Math]::Max([long]0, $stream.Length - $Offset)
        $buffer = New-Object -TypeName byte[] -ArgumentList ([int][Math]::Min([long]$Count, $left))
        $done = 0
        while ($done -lt $buffer.Length) {
            $read = $stream.Read($buffer, $done, $buffer.Length - $done)
            if ($read -le 0) { throw 'the file became shorter while it was read' }
            $done = $done + $read
        }
        return , $buffer
    }
    finally {
        $stream.Dispose()
    }
}

function Read-GxJson([string]$Path) {
    $content = Read-GxBytes $Path 0 67108864
    if ($content.Length -eq 0) { return $null }
    return ConvertFrom-Json -InputObject ($GxUtf8.GetString($content))
}

# Another name first, flushed, then renamed: a reader sees the old file, the new one, or none.
function Write-GxFile([string]$Path, [byte[]]$Content) {
    $temporary = $Path + '.' + $PID + '.new'
    $stream = Open-GxWriteThrough $temporary
    try {
        $stream.Write($Content, 0, $Content.Length)
        Save-GxStream $stream
    }
    finally {
        $stream.Dispose()
    }
    if ([System.IO.File]::Exists($Path)) {
        # No copy of the old one. PowerShell 2.0 would make an empty name of none when it calls by itself.
        if ($GxIsOld) {
            $kinds = [Type[]]@([string], [string], [string])
            $names = [object[]]@([string]$temporary, [string]$Path, $null)
            [void][System.IO.File].GetMethod('Replace', $kinds).Invoke($null, $names)
        }
        else {
            [System.IO.File]::Replace($temporary, $Path, [NullString]::Value)
        }
    }
    else {
        [System.IO.File]::Move($temporary, $Path)
    }
}

function Write-GxJson([string]$Path, $Value) {
    Write-GxFile $Path ($GxUtf8.GetBytes((ConvertTo-Json -InputObject $Value -Depth 32)))
}

function Expand-GxContent([string]$Packed) {
    $content = [Convert]::FromBase64String($Packed)
    $source = New-Object -TypeName System.IO.MemoryStream -ArgumentList @(, $content)
    $mode = [System.IO.Compression.CompressionMode]::Decompress
    $reader = New-Object -TypeName System.IO.Compression.GZipStream -ArgumentList @($source, $mode)
    $plain = New-Object -TypeName System.IO.MemoryStream
    $buffer = New-Object -TypeName byte[] -ArgumentList 65536
    while ($true) {
        $read = $reader.Read($buffer, 0, $buffer.Length)
        if ($read -le 0) { break }
        $plain.Write($buffer, 0, $read)
    }
    $reader.Dispose()
    return , $plain.ToArray()
}

function ConvertTo-GxHex([byte[]]$Content) {
    return [BitConverter]::ToString($Content).Replace('-', '').ToLowerInvariant()
}

function Get-GxSha256([byte[]]$Content) {
    $hasher = [System.Security.Cryptography.SHA256]::Create()
    try {
        return ConvertTo-GxHex ($hasher.ComputeHash($Content))
    }
    finally {
        $hasher.Clear()
    }
}

# --- the tool's own folder and the fence -------------------------------------------------------

function Get-GxWeakness([string]$Folder) {
    $attributes = [System.IO.File]::GetAttributes($Folder)
    if ($attributes -band [System.IO.FileAttributes]::ReparsePoint) { return 'it is a link to another folder' }
    $sid = [System.Security.Principal.SecurityIdentifier]
    $acl = Get-Acl -LiteralPath $Folder
    $owner = $acl.GetOwner($sid).Value
    if ($GxTrusted -notcontains $owner) { return ('it belongs to ' + $owner) }
    foreach ($rule in $acl.GetAccessRules($true, $true, $sid)) {
        $who = $rule.IdentityReference.Value
        if ([string]$rule.AccessControlType -eq 'Allow' -and $GxTrusted -notcontains $who) {
            return ('it gives rights to ' + $who)
        }
    }
    return ''
}

function New-GxPrivateFolder([string]$Folder) {
    $sid = [System.Security.Principal.SecurityIdentifier]
    $security = New-Object -TypeName System.Security.AccessControl.DirectorySecurity
    $security.SetAccessRuleProtection($true, $false)
    foreach ($who in $GxTrusted) {
        $identity = New-Object -TypeName $sid.FullName -ArgumentList $who
        $grant = @($identity, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow')
        $rule = New-Object -TypeName System.Security.AccessControl.FileSystemAccessRule -ArgumentList $grant
        $security.AddAccessRule($rule)
    }
    $administrators = New-Object -TypeName $sid.FullName -ArgumentList $GxTrusted[1]
    $security.SetOwner($administrators)
    # Created with its rights in one act: nobody can put anything in before they hold.
    [void][System.IO.Directory]::CreateDirectory($Folder, $security)
}

# The root exists and only SYSTEM and administrators have rights in it, or nothing is done.
function Assert-GxRoot([string]$Root) {
    if ($Root -notmatch '^[A-Za-z]:\\[^"]*$') { Stop-Gx 'root-not-private' ('not a local folder: ' + $Root) }
    if (-not [System.IO.Directory]::Exists($Root)) { New-GxPrivateFolder $Root }
    $weakness = Get-GxWeakness $Root
    if ($weakness) { Stop-Gx 'root-not-private' ('the folder ' + $Root + ' is not private: ' + $weakness) }
}

function New-GxFolder([string]$Root, [string[]]$Names) {
    $folder = Join-GxPath $Root $Names
    [void][System.IO.Directory]::CreateDirectory($folder)
    return $folder
}

# Only a number that was seen to be higher refuses: it belongs to a holder who took over.
function Assert-GxFence([string]$Root, [long]$Fence) {
    Assert-GxRoot $Root
    $path = [System.IO.Path]::Combine($Root, 'fence.json')
    if (-not [System.IO.File]::Exists($path)) { return }
    $kept = Read-GxJson $path
    if ([long]$kept.fence -gt $Fence) {
        Stop-Gx 'fenced' ('fencing number ' + $kept.fence + ' of ' + $kept.holder + ' is higher than ' + $Fence)
    }
}

function Assert-GxGuid([string]$Guid) {
    if ($Guid -notmatch '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$') { throw ('not a GUID: ' + $Guid) }
    return $Guid.ToLowerInvariant()
}

# A name that is safe as a folder's name, the same for the same text and different for different texts.
# A clustered server is asked by its own name: after a move another machine answers to it.
function Assert-GxNode($Node) {
    if ($Node -and [Environment]::MachineName -ne [string]$Node) {
        Stop-Gx 'other-node' ('this is ' + [Environment]::MachineName + ', and not ' + $Node)
    }
}

# What a cmdlet, or what stands in for one, failed with.
function ConvertTo-GxFailure($Record, [string]$Cmdlet) {
    return @{
        message = [string]$Record.Exception.Message
        id = [string]$Record.FullyQualifiedErrorId
        category = [string]$Record.CategoryInfo.Category
        target = $Cmdlet
    }
}

function Get-GxName([string]$Text) {
    if ($Text -match '^[A-Za-z0-9][A-Za-z0-9_-]{0,80}$') { return $Text }
    return 'x' + (Get-GxSha256 ($GxUtf8.GetBytes($Text))).Substring(0, 40)
}

# --- processes and tools -----------------------------------------------------------------------

# The start of process 4 is written once at boot; the computed boot time moves when the clock is set.
function Get-GxBoot {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $kernel = Get-CimInstance -ClassName Win32_Process -Filter 'ProcessId = 4'
    $booted = ConvertTo-GxTime $system.LastBootUpTime
    $id = $null
    if ($null -ne $kernel) { $id = ConvertTo-GxTime $kernel.CreationDate }
    if (-not $id) { $id = $booted }
    return @{ id = $id; booted_at = $booted }
}

# Alive means the same process, not another one that was given its number.
function Test-GxAlive($Started) {
    $process = Get-Process -Id ([int]$Started.pid) -ErrorAction SilentlyContinue
    if ($null -eq $process) { return $false }
    return (ConvertTo-GxTime $process.StartTime) -eq [string]$Started.process_started
}

# Lines go to the writers as they come; the exit code comes back. Arguments are an array, never a command line.
function Invoke-GxTool([string]$Tool, [string[]]$Arguments, $Output, $ErrorOutput) {
    $ErrorActionPreference = 'Continue'
    $global:LASTEXITCODE = $null
    & $Tool @Arguments 2>&1 | ForEach-Object -Process {
        if ($_ -is [System.Management.Automation.ErrorRecord]) {
            $ErrorOutput.WriteLine([string]$_.Exception.Message)
        }
        else {
            $Output.WriteLine([string]$_)
        }
    }
    # A tool that could not be started leaves no code, and no code must not look like zero.
    if ($null -eq $global:LASTEXITCODE) { throw ('could not be started: ' + $Tool) }
    return [int]$global:LASTEXITCODE
}

# --- the event logs ----------------------------------------------------------------------------

# Windows Server 2003 has no such cmdlet: its event log is asked for by WMI, with the same words.
function Find-GxOldEvent($Filter) {
    $from = ([DateTime]$Filter['StartTime']).ToUniversalTime().ToString('yyyyMMddHHmmss', [System.Globalization.CultureInfo]::InvariantCulture)
    $words = "Logfile = '" + $Filter['LogName'] + "' AND TimeGenerated >= '" + $from + ".000000+000'"
    # Errors and warnings are the levels that are asked for; information has the number 3 there.
    if ($Filter.ContainsKey('Level')) { $words = $words + ' AND (EventType = 1 OR EventType = 2)' }
    $parts = @(@('Id', 'EventCode'), @('ProviderName', 'SourceName'))
    foreach ($part in $parts) {
        if (-not $Filter.ContainsKey($part[0])) { continue }
        $each = @($Filter[$part[0]] | ForEach-Object -Process { $part[1] + " = '" + [string]$_ + "'" })
        $words = $words + ' AND (' + [string]::Join(' OR ', [string[]]$each) + ')'
    }
    foreach ($entry in @(Get-CimInstance -ClassName Win32_NTLogEvent -Filter $words)) {
        if ($null -eq $entry) { continue }
        @{
            LogName = $entry.Logfile
            ProviderName = $entry.SourceName
            Id = $entry.EventCode
            TimeCreated = $entry.TimeGenerated
            Message = $entry.Message
        }
    }
}

# "No such event" is an answer; anything else that goes wrong is a failure of the part, too many events included:
# a list that is cut could hide the very one that matters.
function Read-GxEvent($Filter, [string[]]$Providers) {
    if ([Environment]::OSVersion.Version.Major -lt 6) { $found = @(Find-GxOldEvent $Filter) }
    else {
        try { $found = @(Get-WinEvent -FilterHashtable $Filter -MaxEvents 50000) }
        catch {
            if ($_.FullyQualifiedErrorId -notlike 'NoMatchingEventsFound*') { throw }
            $found = @()
        }
    }
    $kept = @($found | Where-Object -FilterScript { $Providers -contains $_.ProviderName })
    if ($found.Count -ge 50000 -or $kept.Count -gt 5000) { throw 'too many events to look through' }
    foreach ($entry in $kept) {
        $text = [string]$entry.Message
        if ($text.Length -gt 1000) { $text = $text.Substring(0, 1000) }
        @{
            log = [string]$entry.LogName
            provider = [string]$entry.ProviderName
            id = [int]$entry.Id
            at = (ConvertTo-GxTime $entry.TimeCreated)
            text = $text
        }
    }
}

# --- database files ----------------------------------------------------------------------------

# The digest of both header slots of a closed file; the page size stands in the header at byte 236.
function Get-GxHeaderDigest([string]$Path) {
    $head = Read-GxBytes $Path 0 240
    if ($head.Length -lt 240) { return 'too-short' }
    $page = [BitConverter]::ToInt32($head, 236)
    if ($page -eq 0) { $page = 4096 }
    if (@(2048, 4096, 8192, 16384, 32768) -notcontains $page) { return 'no-page-size' }
    return Get-GxSha256 (Read-GxBytes $Path 0 (2 * $page))
}

function Get-GxFlushMap([string]$Path) {
    $match = [regex]::Match($Path, '^(.*)\.edb(\.[^\\]*)?$', 'IgnoreCase')
    if (-not $match.Success) { return $Path + '.jfm' }
    return $match.Groups[1].Value + '.jfm' + $match.Groups[2].Value
}

function Move-GxFlushMap([string]$From, [string]$To) {
    $source = Get-GxFlushMap $From
    if ([System.IO.File]::Exists($source)) { [System.IO.File]::Move($source, (Get-GxFlushMap $To)) }
}

# The second file of a database of Exchange 2003.
function Get-GxStreaming([string]$Path) {
    $match = [regex]::Match($Path, '^(.*)\.edb(\.[^\\]*)?$', 'IgnoreCase')
    if (-not $match.Success) { return $Path + '.stm' }
    return $match.Groups[1].Value + '.stm' + $match.Groups[2].Value
}

# Whether a second file is there that says it is the one of another database: type 2, with another signature.
function Test-GxOtherStreaming([string]$Path, [string]$Streaming) {
    if (-not [System.IO.File]::Exists($Streaming)) { return $false }
    $head = Read-GxBytes $Streaming 0 671
    if ($head.Length -lt 671 -or [BitConverter]::ToInt32($head, 667) -ne 2) { return $false }
    $first = [BitConverter]::ToString((Read-GxBytes $Path 24 28))
    return $first -ne [BitConverter]::ToString($head, 24, 28)
}

# A file that anyone else has open cannot be opened alone.
function Assert-GxClosed([string]$Path) {
    (Open-GxFile $Path 'Open' 'Read' 'None').Dispose()
}

# Where the three files of a swap are; what fits no row is foreign and nothing is touched.
function Get-GxSwapState($Files) {
    $seen = @{}
    foreach ($name in @('original', 'temporary', 'kept')) {
        $path = [string]$Files.$name
        $seen[$name] = 'absent'
        if (-not [System.IO.File]::Exists($path)) { continue }
        try { $seen[$name] = Get-GxHeaderDigest $path }
        catch { $seen[$name] = 'unreadable (' + $_.Exception.Message + ')' }
    }
    $old = [string]$Files.original_sha256
    $new = [string]$Files.temporary_sha256
    $words = 'original ' + $seen['original'] + ', temporary ' + $seen['temporary'] + ', kept ' + $seen['kept']
    $row = $seen['original'] + '|' + $seen['temporary'] + '|' + $seen['kept']
    $state = 'foreign'
    if ($row -eq ($old + '|' + $new + '|absent')) { $state = 'before' }
    if ($row -eq ('absent|' + $new + '|' + $old)) { $state = 'between' }
    if ($row -eq ($new + '|absent|' + $old)) { $state = 'after' }
    return @{ state = $state; evidence = $words }
}
