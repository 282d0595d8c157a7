# goexchange host script: move-aside, version 2
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$source = [string]$Arguments.source
$destination = [string]$Arguments.destination
$from = [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($source))
$to = [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($destination))
$parents = @([System.IO.Path]::GetDirectoryName($from), [System.IO.Path]::GetDirectoryName($to))
# Beside it, or one folder away: a move is a rename on one volume.
if (-not ($from -eq $to -or $parents[0] -eq $to -or $parents[1] -eq $from)) {
    Stop-Gx 'outside-folder' ($destination + ' is not beside ' + $source)
}
# A database of Exchange 2003 is a pair: while its first file is away nothing can be mounted, so that one leaves first
# and comes last.
$moves = @(, @($source, $destination))
$second = @((Get-GxStreaming $source), (Get-GxStreaming $destination))
if ($Arguments.streaming -eq 'after') { $moves += , $second }
if ($Arguments.streaming -eq 'before') { $moves = @(, $second) + $moves }
$isThere = $false
foreach ($move in $moves) {
    if (-not [System.IO.File]::Exists($move[0])) { continue }
    $isThere = $true
    Assert-GxClosed $move[0]
    if ([System.IO.File]::Exists($move[1])) { Stop-Gx 'path-exists' ('already there: ' + $move[1]) }
}
$isAlone = -not [System.IO.File]::Exists($second[0]) -and -not [System.IO.File]::Exists($second[1])
if ($Arguments.streaming -eq 'before' -and $isThere -and $isAlone) { Stop-Gx 'file-not-found' ('there is no file ' + $second[0]) }
$moved = @()
try {
    foreach ($move in $moves) {
        if (-not [System.IO.File]::Exists($move[0])) { continue }
        Move-GxFlushMap $move[0] $move[1]
        [System.IO.File]::Move($move[0], $move[1])
        $moved += , $move
    }
}
catch {
    # Never one without the other: what has been moved goes back.
    foreach ($move in $moved) { [System.IO.File]::Move($move[1], $move[0]) }
    throw
}
$isKept = $true
foreach ($move in $moves) { $isKept = $isKept -and [System.IO.File]::Exists($move[1]) }
@{ was_present = $isThere; is_kept = $isKept }
