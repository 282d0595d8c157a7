# goexchange host script: move-aside, version 1
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
$isThere = [System.IO.File]::Exists($source)
if ($isThere) {
    Assert-GxClosed $source
    if ([System.IO.File]::Exists($destination)) { Stop-Gx 'path-exists' ('already there: ' + $destination) }
    Move-GxFlushMap $source $destination
    [System.IO.File]::Move($source, $destination)
}
@{ was_present = $isThere; is_kept = [System.IO.File]::Exists($destination) }
