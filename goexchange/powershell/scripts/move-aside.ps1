# goexchange host script: move-aside, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$source = [string]$Arguments.source
$destination = [string]$Arguments.destination
$from = [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($source))
$to = [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($destination))
if (-not $from.Equals($to, [StringComparison]::OrdinalIgnoreCase)) {
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
