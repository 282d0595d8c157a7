# goexchange host script: job-runner, version 1
# The child that the scheduled task runs; the library stands before this text in the same file.

$blockBytes = 4194304
$bytesPerSecond = [long]0
$continues = $false
$keptBytes = [long]0

function New-Reader([string]$Path, $Options) {
    $mode = [System.IO.FileMode]::Open
    $access = [System.IO.FileAccess]::Read
    $form = @($Path, $mode, $access, [System.IO.FileShare]::Read, 4096, $Options)
    return New-Object -TypeName System.IO.FileStream -ArgumentList $form
}

function Test-SameBytes([byte[]]$One, [byte[]]$Other, [int]$Count) {
    if ($Count -eq $One.Length) { return [System.Linq.Enumerable]::SequenceEqual($One, $Other) }
    for ($index = 0; $index -lt $Count; $index++) {
        if ($One[$index] -ne $Other[$index]) { return $false }
    }
    return $true
}

# Whether the next bytes of a copy that was begun before are these; else it stands where they belong.
function Test-Kept($Destination, [byte[]]$Block, [int]$Count) {
    $start = $Destination.Position
    $there = New-Object -TypeName byte[] -ArgumentList $Block.Length
    $read = 0
    while ($read -lt $Count) {
        $more = $Destination.Read($there, $read, $Count - $read)
        if ($more -le 0) { break }
        $read = $read + $more
    }
    if ($read -eq $Count -and (Test-SameBytes $Block $there $Count)) { return $true }
    [void]$Destination.Seek($start, [System.IO.SeekOrigin]::Begin)
    return $false
}

function New-Writer([string]$Path) {
    $stream = Open-GxFile $Path 'Create' 'Write' 'ReadWrite, Delete'
    $writer = New-Object -TypeName System.IO.StreamWriter -ArgumentList @($stream, $GxUtf8)
    $writer.AutoFlush = $true
    return $writer
}

# Reads a file once: digest of what was read, written to a second stream when there is one.
# A copy that is held back waits after each block until its time has come. Of one that was begun before,
# what is there is kept block by block, as long as it is what the source has: nothing else is trusted.
function Read-Whole($Source, $Destination) {
    $hasher = [System.Security.Cryptography.SHA256]::Create()
    $buffer = New-Object -TypeName byte[] -ArgumentList $blockBytes
    $total = [long]0
    $written = [long]0
    $mayKeep = $continues -and $null -ne $Destination
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $read = $Source.Read($buffer, 0, $buffer.Length)
        if ($read -le 0) { break }
        [void]$hasher.TransformBlock($buffer, 0, $read, $null, 0)
        $total = $total + $read
        if ($mayKeep) {
            $mayKeep = Test-Kept $Destination $buffer $read
            if ($mayKeep) { $script:keptBytes = $keptBytes + $read }
        }
        if ($null -eq $Destination -or $mayKeep) { continue }
        $Destination.Write($buffer, 0, $read)
        $written = $written + $read
        if ($bytesPerSecond -gt 0) {
            $early = [long](1000 * $written / $bytesPerSecond) - $clock.ElapsedMilliseconds
            if ($early -gt 0) { Start-Sleep -Milliseconds ([int][Math]::Min($early, [long]3600000)) }
        }
    }
    [void]$hasher.TransformFinalBlock($buffer, 0, 0)
    return @{ size_bytes = $total; sha256 = (ConvertTo-GxHex $hasher.Hash) }
}

# A file that an earlier attempt has copied to its end: kept when it is what the source has now.
function Get-Copied([string]$From, [string]$To) {
    $wanted = Get-Hash $From
    $there = Get-Hash $To
    if ($there['sha256'] -ne $wanted['sha256']) { Stop-Gx 'path-exists' ('already there, and another file: ' + $To) }
    $script:keptBytes = $keptBytes + $there['size_bytes']
    return $there
}

function Open-Partial([string]$Path) {
    if (-not $continues -or -not [System.IO.File]::Exists($Path)) { return Open-GxWriteThrough $Path }
    $mode = [System.IO.FileMode]::Open
    $access = [System.IO.FileAccess]::ReadWrite
    $through = [System.IO.FileOptions]::WriteThrough
    $form = @($Path, $mode, $access, [System.IO.FileShare]::None, 4096, $through)
    return New-Object -TypeName System.IO.FileStream -ArgumentList $form
}

function Copy-One([string]$From, [string]$To) {
    if ([System.IO.File]::Exists($To)) {
        if (-not $continues) { Stop-Gx 'path-exists' ('already there: ' + $To) }
        return Get-Copied $From $To
    }
    [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($To))
    $partial = $To + '.partial'
    $source = New-Reader $From ([System.IO.FileOptions]::SequentialScan)
    try {
        $destination = Open-Partial $partial
        try {
            $destination.SetLength($source.Length)
            $read = Read-Whole $source $destination
            Save-GxStream $destination
        }
        finally {
            $destination.Dispose()
        }
    }
    finally {
        $source.Dispose()
    }
    [System.IO.File]::SetLastWriteTimeUtc($partial, [System.IO.File]::GetLastWriteTimeUtc($From))
    [System.IO.File]::Move($partial, $To)
    return @{ path = $To; size_bytes = $read['size_bytes']; sha256 = $read['sha256'] }
}

function Get-Hash([string]$Path) {
    # Opening a file unbuffered drops what the cache holds of it: the digest is of what the disk has.
    $unbuffered = [Enum]::ToObject([System.IO.FileOptions], 536870912)
    (New-Reader $Path $unbuffered).Dispose()
    $source = New-Reader $Path ([System.IO.FileOptions]::SequentialScan)
    try {
        $read = Read-Whole $source $null
        return @{ path = $Path; size_bytes = $read['size_bytes']; sha256 = $read['sha256'] }
    }
    finally {
        $source.Dispose()
    }
}

function Invoke-Tool([string]$Tool, [string[]]$Arguments) {
    $exitCode = Invoke-GxTool $Tool $Arguments $output $errorOutput
    $errorOutput.Flush()
    $said = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 1048576))
    return @{ exit_code = $exitCode; result = @{ error_output = $said } }
}

function Invoke-Eseutil($Request) {
    # Looked at again right before: eseutil deletes without a word whatever lies at its temporary path.
    foreach ($path in @($Request.must_not_exist)) {
        if ($path -and (Test-Path -LiteralPath $path)) { Stop-Gx 'path-exists' ('already there: ' + $path) }
    }
    [void][System.IO.Directory]::CreateDirectory([string]$Request.folder)
    Set-Location -LiteralPath ([string]$Request.folder)
    return Invoke-Tool ([string]$Request.eseutil) ([string[]]@($Request.arguments))
}

function Invoke-CopyFiles($Request) {
    if ($Request.bytes_per_s) { $script:bytesPerSecond = [long]$Request.bytes_per_s }
    if ($Request.continues) { $script:continues = $true }
    $files = @()
    foreach ($pair in @($Request.files)) {
        $files += Copy-One ([string]$pair.source) ([string]$pair.destination)
        $output.WriteLine('copied ' + $pair.source)
    }
    return @{ exit_code = 0; result = @{ files = @($files); kept_bytes = $keptBytes } }
}

function Invoke-HashFiles($Request) {
    $files = @()
    foreach ($path in @($Request.files)) {
        $files += Get-Hash ([string]$path)
        $output.WriteLine('read ' + $path)
    }
    return @{ exit_code = 0; result = @{ files = @($files) } }
}

function Invoke-Backup($Request) {
    $wbadmin = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'wbadmin.exe')
    $target = '-backupTarget:' + [string]$Request.target
    $volumes = '-include:' + (@($Request.volumes) -join ',')
    return Invoke-Tool $wbadmin @('start', 'backup', $target, $volumes, '-vssFull', '-quiet')
}

# One run of a program that is asked for something: when, how it ended (no code: it could not be started), its output.
function Read-Program([string]$Name, $Words) {
    $path = [System.IO.Path]::Combine($folder, $Name + '.txt')
    $all = [string[]]@($Words)
    $rest = [string[]]@($all | Select-Object -Skip 1)
    $writer = New-Writer $path
    $code = $null
    try {
        $code = Invoke-GxTool $all[0] $rest $writer $errorOutput
    }
    catch {
        $errorOutput.WriteLine([string]$_.Exception.Message)
    }
    finally {
        $writer.Dispose()
    }
    $said = Read-GxBytes $path 0 65536
    return @{ at = (Get-GxNow); exit_code = $code; output = [Convert]::ToBase64String($said); text = $GxUtf8.GetString($said) }
}

function Read-Copies($Request) {
    if (@($Request.copies).Count -eq 0) { return '' }
    $answer = Read-Program 'copies' $Request.copies
    if ($answer['exit_code'] -ne 0) { return '' }
    return $answer['output']
}

# What the operator's mapping makes of the last line; nothing when it names no such word.
function Get-AgentMeaning($Look, $States) {
    $lines = @($Look['text'] -split '[\r\n]+' | ForEach-Object -Process { $_.Trim() } | Where-Object -FilterScript { $_ })
    if ($lines.Count -eq 0 -or $Look['exit_code'] -ne 0) { return '' }
    foreach ($state in @($States)) {
        if ([string]::Equals($lines[-1], ([string]$state.prints).Trim(), 'OrdinalIgnoreCase')) { return [string]$state.means }
    }
    return ''
}

function ConvertTo-Look($Look) {
    return @{ at = $Look['at']; exit_code = $Look['exit_code']; output = $Look['output'] }
}

# Starts a vendor's backup and watches it to its end. The controller judges what is written down here.
function Invoke-Agent($Request) {
    $found = @{ ended = 'state'; start_exit_code = $null; stop_exit_code = $null; copies_before = ''; copies_after = '' }
    $before = Read-Program 'state' $Request.state
    $last = $before
    $looks = @(ConvertTo-Look $before)
    if ((Get-AgentMeaning $before $Request.states) -eq 'running') {
        $found['ended'] = 'running-already'
    }
    else {
        $found['copies_before'] = Read-Copies $Request
        $begin = Read-Program 'start' $Request.start
        $found['start_exit_code'] = $begin['exit_code']
        $output.WriteLine($begin['text'])
        if ($begin['exit_code'] -ne 0) { $found['ended'] = 'not-started' }
    }
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $wasRunning = $false
    while ($null -ne $found['start_exit_code'] -and $found['ended'] -eq 'state') {
        Start-Sleep -Seconds ([int]$Request.poll_every_s)
        $look = Read-Program 'state' $Request.state
        $meaning = Get-AgentMeaning $look $Request.states
        if ($look['output'] -ne $last['output'] -and $looks.Count -lt 40) {
            $looks += ConvertTo-Look $look
            $output.WriteLine('state: ' + $look['text'].Trim())
        }
        $last = $look
        $wasRunning = $wasRunning -or $meaning -eq 'running'
        $isFresh = $wasRunning -or $look['output'] -ne $before['output']
        $isFresh = $isFresh -or $clock.Elapsed.TotalSeconds -ge [int]$Request.settle_s
        if (@('succeeded', 'failed') -contains $meaning -and $isFresh) { break }
        if ($clock.Elapsed.TotalSeconds -ge [int]$Request.limit_s) {
            $found['ended'] = 'limit'
            if (@($Request.stop).Count -gt 0) {
                $found['stop_exit_code'] = (Read-Program 'stop' $Request.stop)['exit_code']
            }
        }
    }
    if ($null -ne $found['start_exit_code']) { $looks += ConvertTo-Look $last }
    # A catalogue may need a moment to list what has just been made.
    for ($try = 0; $try -lt 5 -and $found['ended'] -eq 'state' -and $wasRunning; $try++) {
        $found['copies_after'] = Read-Copies $Request
        if ($found['copies_after'] -ne $found['copies_before'] -or @($Request.copies).Count -eq 0) { break }
        Start-Sleep -Seconds ([int]$Request.poll_every_s)
    }
    if (-not $wasRunning) { $found['copies_after'] = Read-Copies $Request }
    $errorOutput.Flush()
    $found['looks'] = @($looks)
    $found['error_output'] = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 1048576))
    return @{ exit_code = 0; result = $found }
}

function Export-Configuration($Request) {
    $folder = [string]$Request.folder
    [void][System.IO.Directory]::CreateDirectory($folder)
    $files = @()
    $missing = @()
    $exitCode = 0
    $number = 0
    $reg = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'reg.exe')
    foreach ($key in @($Request.registry_keys)) {
        $number = $number + 1
        $path = [System.IO.Path]::Combine($folder, 'registry-' + $number + '.reg')
        $code = Invoke-GxTool $reg @('export', [string]$key, $path, '/y') $output $errorOutput
        if ($code -eq 0) { $files += Get-Hash $path }
        else { $missing += [string]$key }
    }
    foreach ($path in @($Request.paths)) {
        $below = @(Get-ChildItem -LiteralPath $path -Recurse -Force -ErrorAction SilentlyContinue)
        $found = @($below | Where-Object -FilterScript { -not $_.PSIsContainer })
        if ($found.Count -eq 0) { $missing += [string]$path }
        foreach ($file in $found) {
            $place = 'files\' + $file.FullName.Replace(':', '').TrimStart('\')
            $files += Copy-One $file.FullName ([System.IO.Path]::Combine($folder, $place))
        }
    }
    if ($Request.system_state) {
        $wbadmin = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'wbadmin.exe')
        $target = '-backupTarget:' + [System.IO.Path]::GetPathRoot($folder).TrimEnd('\')
        $exitCode = Invoke-GxTool $wbadmin @('start', 'systemstatebackup', $target, '-quiet') $output $errorOutput
    }
    return @{ exit_code = $exitCode; result = @{ files = @($files); missing = @($missing) } }
}

# --- an operator's program -----------------------------------------------------------------------

$headMax = 524288
$tailMax = 524288
$appearsWithin = 60

# One word of a command line, by the rules of CommandLineToArgvW: backslashes count only before a quote.
function ConvertTo-Word([string]$Text) {
    if ($Text -and $Text -notmatch '[\s"]') { return $Text }
    $escaped = [regex]::Replace($Text, '(\\*)"', '$1$1\"')
    $escaped = [regex]::Replace($escaped, '(\\+)$', '$1$1')
    return '"' + $escaped + '"'
}

# cmd.exe expands and splits what a program would get as it is: what it cannot be kept from is refused.
function ConvertTo-BatchWord([string]$Text) {
    if ($Text -match '["%\r\n]') { throw ('not safe as a word for a batch file: ' + $Text) }
    if ($Text -match '^[A-Za-z0-9_.:\\/@+-]+$') { return $Text }
    return '"' + $Text + '"'
}

function Get-CommandLine([string[]]$Words) {
    $tool = $Words[0]
    if ($tool -match '\.(cmd|bat)$') {
        if (-not [System.IO.File]::Exists($tool)) { throw ('could not be started: ' + $tool) }
        $batch = @()
        foreach ($word in $Words) { $batch += ConvertTo-BatchWord $word }
        $shell = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'cmd.exe')
        return @{ tool = $shell; words = ('/d /s /c "' + ($batch -join ' ') + '"') }
    }
    $all = @()
    if ($tool -match '\.ps1$') {
        if ($tool -match '"') { throw ('not a path: ' + $tool) }
        $all += '-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "' + $tool + '"'
        $tool = $GxShell
    }
    foreach ($word in @($Words | Select-Object -Skip 1)) { $all += ConvertTo-Word $word }
    return @{ tool = $tool; words = ($all -join ' ') }
}

function New-Stream($Reader, $Writer) {
    return @{
        reader = $Reader
        writer = $Writer
        buffer = (New-Object -TypeName char[] -ArgumentList 65536)
        task = $null
        is_open = $true
        room = $headMax
        tail = (New-Object -TypeName System.Text.StringBuilder)
        left_out = [long]0
    }
}

# Of much output the beginning and the end are kept; how much was between them is counted.
function Add-Output($Stream, [string]$Text) {
    $now = [Math]::Min([int]$Stream['room'], $Text.Length)
    if ($now -gt 0) {
        $Stream['writer'].Write($Text.Substring(0, $now))
        $Stream['room'] = $Stream['room'] - $now
    }
    if ($now -lt $Text.Length) {
        [void]$Stream['tail'].Append($Text.Substring($now))
        if ($Stream['tail'].Length -gt 2 * $tailMax) { Limit-Tail $Stream }
    }
}

function Limit-Tail($Stream) {
    $over = $Stream['tail'].Length - $tailMax
    if ($over -le 0) { return }
    $dropped = $Stream['tail'].ToString(0, $over)
    $Stream['left_out'] = $Stream['left_out'] + $GxUtf8.GetByteCount($dropped)
    [void]$Stream['tail'].Remove(0, $over)
}

function Close-Stream($Stream) {
    Limit-Tail $Stream
    if ($Stream['left_out'] -gt 0) {
        $Stream['writer'].WriteLine('')
        $Stream['writer'].WriteLine('[' + $Stream['left_out'] + ' bytes left out]')
    }
    $Stream['writer'].Write($Stream['tail'].ToString())
    $Stream['writer'].Flush()
}

# .NET 3.5 reads bytes in the background, not characters.
function Start-Read($Stream) {
    if (-not $GxIsOld) { return $Stream['reader'].ReadAsync($Stream['buffer'], 0, $Stream['buffer'].Length) }
    if ($null -eq $Stream['decoder']) {
        $Stream['decoder'] = $Stream['reader'].CurrentEncoding.GetDecoder()
        $Stream['bytes'] = New-Object -TypeName byte[] -ArgumentList 32768
    }
    return $Stream['reader'].BaseStream.BeginRead($Stream['bytes'], 0, $Stream['bytes'].Length, $null, $null)
}

# How many characters lie in the buffer now; -1 at the end.
function Complete-Read($Stream) {
    $count = 0
    if ($GxIsOld) { $count = [int]$Stream['reader'].BaseStream.EndRead($Stream['task']) }
    else { $count = [int]$Stream['task'].Result }
    if ($count -le 0) { return -1 }
    if (-not $GxIsOld) { return $count }
    return [int]$Stream['decoder'].GetChars($Stream['bytes'], 0, $count, $Stream['buffer'], 0)
}

# Takes what has come; true when something has.
function Read-Stream($Stream) {
    if (-not $Stream['is_open']) { return $false }
    if ($null -eq $Stream['task']) {
        $Stream['task'] = Start-Read $Stream
    }
    if (-not $Stream['task'].IsCompleted) { return $false }
    $count = Complete-Read $Stream
    $Stream['task'] = $null
    if ($count -lt 0) {
        $Stream['is_open'] = $false
        return $false
    }
    $form = @($Stream['buffer'], 0, $count)
    Add-Output $Stream (New-Object -TypeName System.String -ArgumentList $form)
    return $true
}

# Every process of that name that has begun since; its handle is kept, so that its exit code stays readable.
function Find-Followed([string]$Image, [DateTime]$Since, $Known) {
    $name = [regex]::Replace($Image, '\.exe$', '', 'IgnoreCase')
    $before = $Known.Count
    foreach ($one in @(Get-Process -Name $name -ErrorAction SilentlyContinue)) {
        $began = $null
        try { $began = $one.StartTime }
        catch { $began = $null }
        if ($null -eq $began -or $began -lt $Since) { continue }
        $key = [string]$one.Id + ' ' + (ConvertTo-GxTime $began)
        if ($Known.ContainsKey($key)) { continue }
        [void]$one.Handle
        $Known[$key] = @{ process = $one; pid = $one.Id; process_started = (ConvertTo-GxTime $began) }
    }
    if ($Known.Count -eq $before) { return }
    # What ends this job from outside finds them here: their parent may be gone.
    $list = @()
    foreach ($one in $Known.Values) { $list += @{ pid = $one['pid']; process_started = $one['process_started'] } }
    Write-GxJson ([System.IO.Path]::Combine($folder, 'followed.json')) @{ processes = @($list) }
}

# Waits for all of them, and for those that they start under the same name; the first code that is not 0 counts.
function Wait-Followed([string]$Image, [DateTime]$Since, $Known) {
    $exitCode = 0
    $seen = @{}
    while ($seen.Count -lt $Known.Count) {
        foreach ($key in @($Known.Keys)) {
            if ($seen.ContainsKey($key)) { continue }
            $process = $Known[$key]['process']
            $process.WaitForExit()
            $seen[$key] = $true
            if ($exitCode -eq 0) { $exitCode = [int]$process.ExitCode }
        }
        Find-Followed $Image $Since $Known
    }
    return $exitCode
}

function Start-Program([string[]]$Words, [bool]$IsAnswered) {
    $line = Get-CommandLine $Words
    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
    $start.FileName = $line['tool']
    $start.Arguments = $line['words']
    $start.WorkingDirectory = $folder
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $page = [System.Globalization.CultureInfo]::CurrentCulture.TextInfo.OEMCodePage
    $start.StandardOutputEncoding = [System.Text.Encoding]::GetEncoding($page)
    $start.StandardErrorEncoding = [System.Text.Encoding]::GetEncoding($page)
    try { $process = [System.Diagnostics.Process]::Start($start) }
    catch { throw ('could not be started: ' + $Words[0] + ': ' + $_.Exception.Message) }
    # A program that asks for input is told that there is none.
    if (-not $IsAnswered) { $process.StandardInput.Close() }
    return $process
}

function Invoke-Program($Request) {
    $since = [DateTime]::Now
    $follow = [string]$Request.follow
    $known = @{}
    $process = Start-Program ([string[]]@($Request.command))
    $streams = @((New-Stream $process.StandardOutput $output), (New-Stream $process.StandardError $errorOutput))
    # What it has started may hold its output open: two quiet seconds after its end are the end.
    $quiet = 0
    while ($quiet -lt 20) {
        $hasRead = $false
        foreach ($stream in $streams) {
            if (Read-Stream $stream) { $hasRead = $true }
        }
        if ($hasRead) {
            $quiet = 0
            continue
        }
        if ($process.HasExited) { $quiet = $quiet + 1 }
        if ($process.HasExited -and -not $streams[0]['is_open'] -and -not $streams[1]['is_open']) { break }
        if ($follow) { Find-Followed $follow $since $known }
        Start-Sleep -Milliseconds 100
    }
    $exitCode = [int]$process.ExitCode
    if ($follow) {
        $until = [DateTime]::Now.AddSeconds($appearsWithin)
        while ($known.Count -eq 0 -and [DateTime]::Now -lt $until) {
            Find-Followed $follow $since $known
            Start-Sleep -Milliseconds 200
        }
        if ($known.Count -gt 0) { $exitCode = Wait-Followed $follow $since $known }
        elseif ($exitCode -eq 0) { throw ('it ended, and no process ' + $follow + ' was seen within ' + $appearsWithin + ' s') }
    }
    $leftOut = [long]0
    foreach ($stream in $streams) {
        Close-Stream $stream
        $leftOut = $leftOut + $stream['left_out']
    }
    $said = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 2097152))
    return @{ exit_code = $exitCode; result = @{ error_output = $said; left_out_bytes = $leftOut; followed = $known.Count } }
}

# --- the store's own integrity check, Exchange 2007 ------------------------------------------------

$asksWithin = 300

# The number that the list gives to the one database of that name in that group, when it is dismounted; else nothing.
function Get-ListedNumber([string]$Text, $Request) {
    $group = ''
    $found = @()
    foreach ($line in @($Text -split '[\r\n]+')) {
        $head = [regex]::Match($line, '^\s*Storage Group Name: (.+?)\s*$')
        if ($head.Success) {
            $group = $head.Groups[1].Value
            continue
        }
        $row = [regex]::Match($line, '^\s*(\d+)\s+(Offline|Online)\s+(.+?)\s*$')
        if (-not $row.Success -or $group -ne [string]$Request.group) { continue }
        if ($row.Groups[3].Value -eq [string]$Request.database) {
            $found += @{ number = $row.Groups[1].Value; is_offline = $row.Groups[2].Value -eq 'Offline' }
        }
    }
    if ($found.Count -ne 1 -or -not $found[0]['is_offline']) { return '' }
    return $found[0]['number']
}

# What is answered to what it has asked last: nothing while it has not asked.
function Get-Answer([string]$Text, $Request, $Talk) {
    if ($Talk['asked'] -eq 0 -and $Text -match 'Enter a number to select a database') {
        $number = Get-ListedNumber $Text $Request
        if (-not $number) { $Talk['ended'] = 'not-offered' }
        return @{ text = $number }
    }
    $named = [regex]::Matches($Text, 'You have selected (.+)\.\s')
    if ($Talk['asked'] -eq 1 -and $named.Count -gt 0) {
        $meant = [string]$Request.group + ' / ' + [string]$Request.database
        if ($named.Count -eq 1 -and $named[0].Groups[1].Value -eq $meant) { return @{ text = 'Y' } }
        $Talk['ended'] = 'other-database'
        return @{ text = 'N' }
    }
    return $null
}

# It gets the number of the database that is meant, and yes only when it then names that very one. Whatever else it says,
# it is ended before it has begun; once it has begun it is never ended from here.
function Invoke-Integrity($Request) {
    $words = @([string]$Request.tool, '-s', [string]$Request.server)
    if ($Request.fix) { $words += '-fix' }
    $words += @('-l', [System.IO.Path]::Combine($folder, 'isinteg.log'), '-test', 'alltests')
    $process = Start-Program ([string[]]$words) $true
    $streams = @((New-Stream $process.StandardOutput $output), (New-Stream $process.StandardError $errorOutput))
    $path = [System.IO.Path]::Combine($folder, 'output.txt')
    $talk = @{ asked = 0; ended = 'run' }
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not $process.HasExited -or $streams[0]['is_open'] -or $streams[1]['is_open']) {
        $hasRead = $false
        foreach ($stream in $streams) {
            if (Read-Stream $stream) { $hasRead = $true }
        }
        if ($hasRead) { continue }
        if ($talk['asked'] -lt 2 -and $talk['ended'] -eq 'run' -and -not $process.HasExited) {
            $answer = Get-Answer ($GxUtf8.GetString((Read-GxBytes $path 0 262144))) $Request $talk
            if ($null -ne $answer) {
                $process.StandardInput.WriteLine([string]$answer['text'])
                $talk['asked'] = $talk['asked'] + 1
            }
            elseif ($clock.Elapsed.TotalSeconds -gt $asksWithin) {
                $talk['ended'] = 'silent'
                $process.Kill()
            }
        }
        Start-Sleep -Milliseconds 200
    }
    if ($talk['asked'] -lt 2 -and $talk['ended'] -eq 'run') { $talk['ended'] = 'silent' }
    foreach ($stream in $streams) { Close-Stream $stream }
    $said = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 1048576))
    return @{ exit_code = [int]$process.ExitCode; result = @{ error_output = $said; ended = $talk['ended'] } }
}

# Whether the account of the jobs may write there, tried with a file of a name that nobody else has.
function Test-Writing([string]$Path) {
    $answer = @{ path = $Path; can_write = $false; message = $null }
    $file = [System.IO.Path]::Combine($Path, ('goexchange-' + [Guid]::NewGuid().ToString('N') + '.tmp'))
    try {
        if (-not [System.IO.Directory]::Exists($Path)) { throw 'there is no such folder, or it may not be looked at' }
        $stream = Open-GxFile $file 'CreateNew' 'Write' 'None'
        try {
            $stream.WriteByte(71)
            Save-GxStream $stream
        }
        finally {
            $stream.Dispose()
        }
        $answer['can_write'] = (Read-GxBytes $file 0 16).Length -eq 1
    }
    catch { $answer['message'] = [string]$_.Exception.Message }
    if ([System.IO.File]::Exists($file)) { [System.IO.File]::Delete($file) }
    return $answer
}

# Windows looks at the rights before it looks who else has the file open: in use is as good as read.
function Test-Reading([string]$Path) {
    $answer = @{ path = $Path; can_read = $false; message = $null }
    try {
        (New-Reader $Path ([System.IO.FileOptions]::SequentialScan)).Dispose()
        $answer['can_read'] = $true
    }
    catch {
        $answer['message'] = [string]$_.Exception.Message
        $answer['can_read'] = (Get-GxCode $_.Exception) -eq 'file-in-use'
    }
    if ($answer['can_read']) { $answer['message'] = $null }
    return $answer
}

function Test-Folders($Request) {
    $folders = @()
    foreach ($path in @($Request.folders)) {
        if ($path) { $folders += Test-Writing ([string]$path) }
    }
    $files = @()
    foreach ($path in @($Request.files)) {
        if ($path) { $files += Test-Reading ([string]$path) }
    }
    return @{ exit_code = 0; result = @{ folders = @($folders); files = @($files) } }
}

# The manifest of a set on a share: a session has no rights there, the account of a job has.
function Save-Manifest($Request) {
    $to = [string]$Request.folder
    if (-not [System.IO.Directory]::Exists($to)) { throw ('there is no folder ' + $to) }
    $content = [Convert]::FromBase64String([string]$Request.manifest)
    $path = [System.IO.Path]::Combine($to, 'backup-set.json')
    Write-GxFile $path $content
    return @{ exit_code = 0; result = @{ path = $path; sha256 = (Get-GxSha256 $content) } }
}

# The verdict of a verifier machine beside a set: waited for until it speaks of this very set. What lies there
# already may be about another one, and may still be replaced.
function Wait-Verdict($Request) {
    $path = [System.IO.Path]::Combine([string]$Request.folder, 'backup-set.verdict.json')
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $content = $null
        try {
            if ([System.IO.File]::Exists($path)) {
                $length = (New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
                $content = Read-GxBytes $path 0 ([int][Math]::Min($length, 262144))
            }
        }
        catch [System.IO.IOException] { $output.WriteLine('not read: ' + $_.Exception.Message) }
        $isOurs = $null -ne $content -and $GxUtf8.GetString($content).Contains([string]$Request.set_sha256)
        if ($isOurs -or $clock.Elapsed.TotalSeconds -ge [int]$Request.wait_s) { break }
        Start-Sleep -Seconds 15
    }
    $found = @{ exists = ($null -ne $content); content = $null }
    if ($null -ne $content) { $found['content'] = [Convert]::ToBase64String($content) }
    return @{ exit_code = 0; result = $found }
}

# --- a full backup through the Exchange writer, by diskshadow ------------------------------------

$exchangeWriter = '{76fe1ac4-15f7-4bcd-987e-8e1acb462fb7}'

# How diskshadow reads quoted words is not known: a path that needs quotes is refused.
function Get-Plain([string]$Path) {
    if ($Path -notmatch '^[A-Za-z]:\\([A-Za-z0-9_.-]+\\?)*$') { throw ('not safe in a script of diskshadow: ' + $Path) }
    return $Path
}

# The words are in the language of Windows; each writer has two identifiers, its own and its instance's.
function Get-OtherWriters {
    $path = [System.IO.Path]::Combine($folder, 'writers.txt')
    $writer = New-Writer $path
    $vssadmin = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'vssadmin.exe')
    try { $code = Invoke-GxTool $vssadmin @('list', 'writers') $writer $errorOutput }
    finally { $writer.Dispose() }
    $text = $GxUtf8.GetString((Read-GxBytes $path 0 1048576))
    $found = @([regex]::Matches($text, '\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}'))
    $writers = @()
    for ($number = 0; $number + 1 -lt $found.Count; $number += 2) { $writers += $found[$number].Value.ToLowerInvariant() }
    $isWhole = $code -eq 0 -and $found.Count % 2 -eq 0
    if (-not $isWhole -or $writers -notcontains $exchangeWriter) { throw 'vssadmin does not list the Exchange writer' }
    return @($writers | Where-Object -FilterScript { $_ -ne $exchangeWriter } | Select-Object -Unique)
}

function Get-Exposed([string]$Below) {
    if (-not [System.IO.Directory]::Exists($Below)) { return @() }
    $all = @([System.IO.Directory]::GetDirectories($Below, 'shadow-*'))
    return @($all | Where-Object -FilterScript { [System.IO.File]::GetAttributes($_) -band [System.IO.FileAttributes]::ReparsePoint })
}

# Deletes the shadow copies that are exposed in these folders; gives those that are still there.
function Remove-Exposed([string[]]$Folders) {
    $exposed = @($Folders | ForEach-Object -Process { Get-Exposed $_ })
    if ($exposed.Count -eq 0) { return @() }
    $lines = @($exposed | ForEach-Object -Process { 'delete shadows exposed ' + (Get-Plain $_) })
    $script = [System.IO.Path]::Combine($folder, 'remove.dsh')
    Write-GxFile $script ($GxUtf8.GetBytes(($lines -join "`r`n") + "`r`n"))
    $diskshadow = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'diskshadow.exe')
    $code = Invoke-GxTool $diskshadow @('/s', $script) $output $errorOutput
    if ($code -ne 0) { $errorOutput.WriteLine('diskshadow ended with ' + $code + ' when it was to delete shadow copies') }
    return @($Folders | ForEach-Object -Process { Get-Exposed $_ })
}

# Jobs that ended from outside could not delete theirs; those that still run are left alone.
function Get-EndedJobs {
    $jobs = [System.IO.Path]::GetDirectoryName($folder)
    $all = @([System.IO.Directory]::GetDirectories($jobs))
    return @($all | Where-Object -FilterScript { [System.IO.File]::Exists([System.IO.Path]::Combine($_, 'exit.json')) })
}

function Write-ShadowScript($Request, [string]$Path) {
    $lines = @('set verbose on', 'set context persistent')
    $lines += 'set metadata ' + (Get-Plain ([System.IO.Path]::Combine($folder, 'shadow.cab')))
    $lines += 'writer verify ' + $exchangeWriter
    foreach ($writer in @(Get-OtherWriters)) { $lines += 'writer exclude ' + $writer }
    $lines += 'begin backup'
    $adds = @()
    $exposes = @()
    foreach ($volume in @($Request.volumes)) {
        $alias = 'gx' + ($adds.Count + 1)
        $mount = [System.IO.Path]::Combine($folder, 'shadow-' + ($adds.Count + 1))
        [void][System.IO.Directory]::CreateDirectory($mount)
        $adds += 'add volume ' + (Get-Plain ([string]$volume)) + ' alias ' + $alias
        $exposes += 'expose %' + $alias + '% ' + (Get-Plain $mount)
    }
    $lines += $adds
    $lines += 'create'
    $lines += $exposes
    # The end of the backup truncates: it comes only after the copy was made and verified.
    $lines += 'exec ' + [System.IO.Path]::Combine($folder, 'copy.cmd')
    $lines += 'end backup'
    $lines += 'exec ' + [System.IO.Path]::Combine($folder, 'ended.cmd')
    Write-GxFile $Path ($GxUtf8.GetBytes(($lines -join "`r`n") + "`r`n"))
}

function Write-Commands {
    $words = ' -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%~dp0runner.ps1" copy-shadows'
    $lines = '@"' + $GxShell + '"' + $words + "`r`n" + '@if not "%errorlevel%"=="0" exit /b 1' + "`r`n" + '@exit /b 0' + "`r`n"
    Write-GxFile ([System.IO.Path]::Combine($folder, 'copy.cmd')) ($GxUtf8.GetBytes($lines))
    $lines = '@echo ended> "%~dp0ended.txt"' + "`r`n" + '@exit /b 0' + "`r`n"
    Write-GxFile ([System.IO.Path]::Combine($folder, 'ended.cmd')) ($GxUtf8.GetBytes($lines))
}

function Invoke-Shadow($Request) {
    [void](Remove-Exposed ([string[]]@(Get-EndedJobs)))
    $script = [System.IO.Path]::Combine($folder, 'backup.dsh')
    Write-ShadowScript $Request $script
    Write-Commands
    $diskshadow = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'diskshadow.exe')
    $exitCode = Invoke-GxTool $diskshadow @('/s', $script) $output $errorOutput
    $result = @{ ended = $false; copied = $null; left = @() }
    $result['left'] = @(Remove-Exposed @($folder))
    $result['ended'] = [System.IO.File]::Exists([System.IO.Path]::Combine($folder, 'ended.txt'))
    $copied = [System.IO.Path]::Combine($folder, 'copied.json')
    if ([System.IO.File]::Exists($copied)) { $result['copied'] = Read-GxJson $copied }
    $errorOutput.Flush()
    $result['error_output'] = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 1048576))
    return @{ exit_code = $exitCode; result = $result }
}

# Where a file of the live system is in the shadow copies: on the deepest of the volumes above it.
function Get-Shadowed($Request, [string]$Path) {
    $place = $null
    $depth = 0
    $number = 0
    foreach ($volume in @($Request.volumes)) {
        $number = $number + 1
        $above = ([string]$volume).TrimEnd('\') + '\'
        if ($above.Length -gt $depth -and $Path.StartsWith($above, [StringComparison]::OrdinalIgnoreCase)) {
            $depth = $above.Length
            $mount = [System.IO.Path]::Combine($folder, 'shadow-' + $number)
            $place = [System.IO.Path]::Combine($mount, $Path.Substring($depth))
        }
    }
    if ($null -eq $place) { throw ('on none of the volumes: ' + $Path) }
    return $place
}

# The database file, its logs and its checkpoint, by the paths that they have in service.
function Find-Files($Request, $Database) {
    $found = @([string]$Database.path)
    $logs = [string]$Database.log_folder
    $stem = [regex]::Escape([string]$Database.log_prefix)
    foreach ($path in @([System.IO.Directory]::GetFiles((Get-Shadowed $Request $logs)))) {
        $name = [System.IO.Path]::GetFileName($path)
        if ($name -match ('^' + $stem + '([0-9A-F]*\.log|\.chk)$')) { $found += [System.IO.Path]::Combine($logs, $name) }
    }
    return $found
}

# Runs inside the script, before the backup is ended: without a verified copy it is never ended.
function Copy-Shadowed($Request, $Made) {
    # A second attempt writes beside the first one, never over it: the name of the job is its own.
    $below = [System.IO.Path]::Combine([string]$Request.target, [System.IO.Path]::GetFileName($folder))
    foreach ($database in @($Request.databases)) {
        $files = @()
        foreach ($path in @(Find-Files $Request $database)) {
            $target = [System.IO.Path]::Combine($below, $path.Replace(':', '').TrimStart('\'))
            $files += Copy-One (Get-Shadowed $Request $path) $target
        }
        foreach ($file in $files) {
            $file['read_sha256'] = (Get-Hash $file['path'])['sha256']
            $Made['files'] += $file
            if ($file['read_sha256'] -ne $file['sha256']) { throw ('the copy is not what was read: ' + $file['path']) }
        }
        $said = Read-Program 'check' @([string]$Request.eseutil, '/k', $files[0]['path'])
        $Made['checks'] += @{ path = $files[0]['path']; exit_code = $said['exit_code']; output = $said['output'] }
        if ($said['exit_code'] -ne 0) { throw ('its pages are not sound: ' + $files[0]['path']) }
    }
}

# That diskshadow stops when a program fails is documented; that it can not go on is made sure of.
function Stop-Requestor {
    $id = $PID
    for ($above = 0; $above -lt 4; $above++) {
        $process = Get-CimInstance -ClassName Win32_Process -Filter ('ProcessId = ' + $id)
        if ($null -eq $process) { return }
        if ([string]$process.Name -eq 'diskshadow.exe') {
            Stop-Process -Id $id -Force
            return
        }
        $id = [int]$process.ParentProcessId
    }
}

function Invoke-ShadowCopy {
    $made = @{ at = $null; files = @(); checks = @(); message = $null }
    try { Copy-Shadowed (Read-GxJson ([System.IO.Path]::Combine($folder, 'request.json'))).request $made }
    catch { $made['message'] = [string]$_.Exception.Message }
    $made['at'] = Get-GxNow
    $errorOutput.Dispose()
    Write-GxJson ([System.IO.Path]::Combine($folder, 'copied.json')) $made
    if ($null -eq $made['message']) { return 0 }
    Stop-Requestor
    return 1
}

# --- ntbackup (Windows Server 2003) ---------------------------------------------------------------

# Whether somebody else's runs: two of them would share the engine's events and the folder of their logs.
function Test-OtherBackup([int]$Own) {
    $all = @(Get-Process -Name 'ntbackup' -ErrorAction SilentlyContinue)
    return @($all | Where-Object -FilterScript { $null -ne $_ -and $_.Id -ne $Own }).Count -gt 0
}

# The newest log that it has written since; in the profile of whoever it runs as.
function Read-BackupLog([DateTime]$Since) {
    $data = Join-GxPath ([Environment]::GetFolderPath('LocalApplicationData')) @('Microsoft', 'Windows NT', 'NTBackup', 'data')
    if (-not [System.IO.Directory]::Exists($data)) { return $null }
    $newest = $null
    $when = $Since
    foreach ($path in @([System.IO.Directory]::GetFiles($data, 'backup*.log'))) {
        $written = [System.IO.File]::GetLastWriteTimeUtc($path)
        if ($written -lt $when) { continue }
        $newest = $path
        $when = $written
    }
    if ($null -eq $newest) { return $null }
    return @{ path = $newest; content = [Convert]::ToBase64String((Read-GxBytes $newest 0 1048576)) }
}

# It is a program with a window: only the end of its process is waited for, and neither code nor words are judged here.
function Wait-Backup($Process, $Found) {
    $streams = @((New-Stream $Process.StandardOutput $output), (New-Stream $Process.StandardError $errorOutput))
    $quiet = 0
    while ($quiet -lt 2) {
        foreach ($stream in $streams) { [void](Read-Stream $stream) }
        if ($Process.HasExited) { $quiet = $quiet + 1 }
        elseif (Test-OtherBackup $Process.Id) { $Found['was_other_seen'] = $true }
        Start-Sleep -Milliseconds 500
    }
    foreach ($stream in $streams) { Close-Stream $stream }
}

function Invoke-Ntbackup($Request) {
    $found = @{ ended = 'process'; file = $null; sizes = @(); was_other_seen = $false; log = $null; error_output = '' }
    if (Test-OtherBackup $PID) {
        $found['ended'] = 'running-already'
        $found['was_other_seen'] = $true
        return @{ exit_code = -1; result = $found }
    }
    $tool = [System.IO.Path]::Combine([Environment]::SystemDirectory, 'ntbackup.exe')
    if (-not [System.IO.File]::Exists($tool)) { throw ('there is no ' + $tool) }
    # Without /A it writes over what is there: the name is the job's own, and whatever has it is left alone.
    $target = [string]$Request.target
    $file = [System.IO.Path]::Combine($target, ([System.IO.Path]::GetFileName($folder) + '.bkf'))
    if ([System.IO.File]::Exists($file)) { Stop-Gx 'path-exists' ('already there: ' + $file) }
    [void][System.IO.Directory]::CreateDirectory($target)
    $selection = [System.IO.Path]::Combine($folder, 'selection.bks')
    $unicode = New-Object -TypeName System.Text.UnicodeEncoding -ArgumentList @($false, $false)
    Write-GxFile $selection ($unicode.GetBytes((@($Request.selection) -join "`r`n") + "`r`n"))
    foreach ($path in @($Request.files)) {
        $info = New-Object -TypeName System.IO.FileInfo -ArgumentList ([string]$path)
        $found['sizes'] += @{ path = [string]$path; size_bytes = [long]$info.Length }
    }
    $words = @($tool, 'backup', ('@' + $selection), '/J', 'goexchange', '/F', $file, '/V:no', '/R:no', '/L:f', '/M', 'normal', '/RS:no', '/HC:off', '/SNAP:off')
    $since = [DateTime]::UtcNow
    $process = Start-Program ([string[]]$words)
    Wait-Backup $process $found
    if ([System.IO.File]::Exists($file)) {
        $made = New-Object -TypeName System.IO.FileInfo -ArgumentList $file
        $found['file'] = @{ path = $file; size_bytes = [long]$made.Length; written_at = (ConvertTo-GxTime $made.LastWriteTimeUtc) }
    }
    $found['log'] = Read-BackupLog $since
    $errorOutput.Flush()
    $found['error_output'] = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 1048576))
    return @{ exit_code = [int]$process.ExitCode; result = $found }
}

# --- services ------------------------------------------------------------------------------------

$serviceSeconds = 300

function Get-Recorded($Request) {
    return Join-GxPath ([string]$Request.root) @('services', ((Get-GxName $Request.record) + '.json'))
}

function Read-Service([string]$Name) {
    $found = Get-CimInstance -ClassName Win32_Service -Filter ("Name = '" + $Name + "'")
    if ($null -eq $found) { throw ('there is no service ' + $Name) }
    $start = [string]$found.StartMode
    if ($start -eq 'Auto') { $start = 'Automatic' }
    return @{ name = [string]$found.Name; state = [string]$found.State; start_type = $start }
}

# What depends on a service and runs is stopped before it; each is named once, in the order of stopping.
function Get-StopOrder([string[]]$Names) {
    $order = @()
    foreach ($name in $Names) {
        $service = Get-Service -Name $name
        foreach ($one in @($service.DependentServices)) {
            if ([string]$one.Status -ne 'Stopped') { $order += Get-StopOrder @([string]$one.Name) }
        }
        $order += [string]$service.Name
    }
    $once = @()
    foreach ($name in $order) {
        if ($once -notcontains $name) { $once += $name }
    }
    return $once
}

function Stop-Named($Request) {
    foreach ($name in @($Request.services)) { [void](Read-Service ([string]$name)) }
    $path = Get-Recorded $Request
    # Written before anything is touched; a second attempt keeps what the first one saw.
    if (-not [System.IO.File]::Exists($path)) {
        $seen = @()
        foreach ($name in @(Get-StopOrder ([string[]]@($Request.services)))) { $seen += Read-Service $name }
        [void](New-GxFolder ([string]$Request.root) @('services'))
        Write-GxJson $path @{ services = @($seen) }
    }
    $recorded = @((Read-GxJson $path).services)
    foreach ($one in $recorded) {
        $service = Get-Service -Name ([string]$one.name)
        if ([string]$service.Status -eq 'Stopped') { continue }
        Stop-Service -InputObject $service -Force
        $service.WaitForStatus('Stopped', [TimeSpan]::FromSeconds($serviceSeconds))
        $output.WriteLine('stopped ' + $one.name)
    }
    return @{ exit_code = 0; result = @{ services = @($recorded) } }
}

function Restore-Named($Request) {
    $path = Get-Recorded $Request
    $now = @()
    if ([System.IO.File]::Exists($path)) {
        $recorded = @((Read-GxJson $path).services)
        [array]::Reverse($recorded)
        foreach ($one in $recorded) {
            $service = Get-Service -Name ([string]$one.name)
            if ([string]$one.state -eq 'Running' -and [string]$service.Status -ne 'Running') {
                Start-Service -InputObject $service
                $service.WaitForStatus('Running', [TimeSpan]::FromSeconds($serviceSeconds))
                $output.WriteLine('started ' + $one.name)
            }
            $is = Read-Service ([string]$one.name)
            if ($is['start_type'] -ne [string]$one.start_type) {
                $output.WriteLine('start type of ' + $one.name + ' was ' + $one.start_type + ', somebody made it ' + $is['start_type'])
            }
            $now += $is
        }
        [System.IO.File]::Delete($path)
    }
    return @{ exit_code = 0; result = @{ services = @($now) } }
}

# --- the queue database of the message transfer agent (Exchange 2003) ----------------------------

# mtacheck wants its folder for what it takes out empty: what lies there is moved to the evidence, never deleted.
function Move-TakenOut([string]$Data, [string]$Evidence) {
    $from = [System.IO.Path]::Combine($Data, 'mtacheck.out')
    if (-not [System.IO.Directory]::Exists($from)) { return @() }
    $moved = @()
    foreach ($path in @([System.IO.Directory]::GetFiles($from))) {
        [void][System.IO.Directory]::CreateDirectory($Evidence)
        $number = 1
        do {
            $to = Join-GxPath $Evidence @(([System.IO.Path]::GetFileName($path) + '.' + $number))
            $number = $number + 1
        } while ([System.IO.File]::Exists($to))
        [System.IO.File]::Move($path, $to)
        $moved += $to
    }
    if (@([System.IO.Directory]::GetFileSystemEntries($from)).Count -gt 0) { throw ('not only files lie in ' + $from) }
    return $moved
}

function Invoke-Mtacheck($Request) {
    $service = Get-Service -Name 'MSExchangeMTA'
    if ([string]$service.Status -ne 'Stopped') { throw 'the service MSExchangeMTA is not stopped' }
    $evidence = [string]$Request.evidence
    $taken = @(Move-TakenOut ([string]$Request.data_folder) $evidence)
    $log = [System.IO.Path]::Combine($folder, 'mtacheck.log')
    $words = @('/v', '/f', $log)
    foreach ($one in @($Request.removes)) {
        if ($one) { $words += '/' + [string]$one }
    }
    Set-Location -LiteralPath ([System.IO.Path]::GetDirectoryName([string]$Request.mtacheck))
    $exitCode = Invoke-GxTool ([string]$Request.mtacheck) ([string[]]$words) $output $errorOutput
    $taken += @(Move-TakenOut ([string]$Request.data_folder) $evidence)
    $errorOutput.Flush()
    $found = @{ log = ''; taken_out = @($taken); error_output = '' }
    if ([System.IO.File]::Exists($log)) { $found['log'] = [Convert]::ToBase64String((Read-GxBytes $log 0 1048576)) }
    $found['error_output'] = [Convert]::ToBase64String((Read-GxBytes $errorPath 0 1048576))
    return @{ exit_code = $exitCode; result = $found }
}

function Invoke-Request($Job) {
    $request = $Job.request
    switch ([string]$Job.kind) {
        'eseutil' { return Invoke-Eseutil $request }
        'copy-files' { return Invoke-CopyFiles $request }
        'hash-files' { return Invoke-HashFiles $request }
        'wbadmin' { return Invoke-Backup $request }
        'agent' { return Invoke-Agent $request }
        'diskshadow' { return Invoke-Shadow $request }
        'ntbackup' { return Invoke-Ntbackup $request }
        'export-configuration' { return Export-Configuration $request }
        'command' { return Invoke-Program $request }
        'isinteg' { return Invoke-Integrity $request }
        'try-folders' { return Test-Folders $request }
        'seal-set' { return Save-Manifest $request }
        'await-verdict' { return Wait-Verdict $request }
        'mtacheck' { return Invoke-Mtacheck $request }
        'stop-services' { return Stop-Named $request }
        'restore-services' { return Restore-Named $request }
    }
    throw ('unknown kind of job: ' + $Job.kind)
}

$folder = Split-Path -Parent $MyInvocation.MyCommand.Path
# Asked for by the script of diskshadow, which this job itself runs.
if (@($args).Count -eq 1 -and [string]$args[0] -eq 'copy-shadows') {
    $errorOutput = New-Writer ([System.IO.Path]::Combine($folder, 'copy-error.txt'))
    exit (Invoke-ShadowCopy)
}
$startedPath = [System.IO.Path]::Combine($folder, 'started.json')
$errorPath = [System.IO.Path]::Combine($folder, 'error.txt')
$boot = Get-GxBoot
$self = [System.Diagnostics.Process]::GetCurrentProcess()
$begin = @{
    pid = $PID
    process_started = ConvertTo-GxTime $self.StartTime
    boot_id = $boot['id']
    started_at = Get-GxNow
}
# Whoever makes this file does the work; a second child finds it and leaves.
try {
    $marker = Open-GxFile $startedPath 'CreateNew' 'Write' 'Read'
}
catch {
    if (-not [System.IO.File]::Exists($startedPath)) { throw }
    exit 0
}
$content = $GxUtf8.GetBytes((ConvertTo-Json -InputObject $begin))
$marker.Write($content, 0, $content.Length)
Save-GxStream $marker
$marker.Dispose()

$output = New-Writer ([System.IO.Path]::Combine($folder, 'output.txt'))
$errorOutput = New-Writer $errorPath
try {
    $job = Read-GxJson ([System.IO.Path]::Combine($folder, 'request.json'))
    $end = Invoke-Request $job
}
catch {
    $output.WriteLine('goexchange: ' + $_.Exception.Message)
    $errorOutput.WriteLine([string]$_.Exception.Message)
    $end = @{ exit_code = -1; result = $null }
}
$output.Dispose()
$errorOutput.Dispose()
# The last write: once it is there, output and result are complete.
$record = @{ exit_code = $end['exit_code']; ended_at = (Get-GxNow); result = $end['result'] }
Write-GxJson ([System.IO.Path]::Combine($folder, 'exit.json')) $record
