# goexchange host script: swap-files, version 1
param($Arguments)

# A move is only a rename, and so instant and whole, when no folder between the two is a mount point or a link.
function Assert-SameVolume([string]$First, [string]$Second) {
    $one = [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($First)) + '\'
    $two = [System.IO.Path]::GetDirectoryName([System.IO.Path]::GetFullPath($Second)) + '\'
    if ([System.IO.Path]::GetPathRoot($one) -ne [System.IO.Path]::GetPathRoot($two)) { Stop-Gx 'other-volume' ($First + ' and ' + $Second) }
    foreach ($pair in @(@($one, $two), @($two, $one))) {
        $folder = $pair[0].TrimEnd('\')
        while ($folder -and -not $pair[1].StartsWith($folder + '\', [StringComparison]::OrdinalIgnoreCase)) {
            $attributes = [System.IO.File]::GetAttributes($folder)
            if ($attributes -band [System.IO.FileAttributes]::ReparsePoint) { Stop-Gx 'other-volume' ($folder + ' is a mount point or a link') }
            $folder = [System.IO.Path]::GetDirectoryName($folder)
        }
    }
}

Assert-GxFence $Arguments.root $Arguments.fence
$original = [string]$Arguments.original
$temporary = [string]$Arguments.temporary
$kept = [string]$Arguments.kept
Assert-SameVolume $original $temporary
Assert-SameVolume $original $kept
# A database of Exchange 2003 is a pair: a rebuild made the second file too, or a swap has kept it.
$second = @{ original = (Get-GxStreaming $original); temporary = (Get-GxStreaming $temporary); kept = (Get-GxStreaming $kept) }
$isPair = [System.IO.File]::Exists($second['temporary']) -or [System.IO.File]::Exists($second['kept'])
$files = @($original, $temporary, $kept)
if ($isPair) { $files += @($second.Values) }
foreach ($path in $files) {
    if ([System.IO.File]::Exists($path)) { Assert-GxClosed $path }
}

$seen = Get-GxSwapState $Arguments
if ($seen['state'] -eq 'foreign') {
    if (-not [System.IO.File]::Exists($original) -and -not [System.IO.File]::Exists($kept)) { Stop-Gx 'file-not-found' ('there is no file ' + $original) }
    $areAll = [System.IO.File]::Exists($original) -and [System.IO.File]::Exists($temporary)
    if ($areAll -and [System.IO.File]::Exists($kept)) { Stop-Gx 'path-exists' ('already there: ' + $kept) }
    Stop-Gx 'header-differs' $seen['evidence']
}
if ($seen['state'] -eq 'before') {
    if ($isPair -and -not [System.IO.File]::Exists($second['original'])) { Stop-Gx 'file-not-found' ('there is no file ' + $second['original']) }
    Set-Acl -LiteralPath $temporary -AclObject (Get-Acl -LiteralPath $original)
    Move-GxFlushMap $original $kept
    [System.IO.File]::Move($original, $kept)
    $seen = Get-GxSwapState $Arguments
}
if ($seen['state'] -eq 'between') {
    # While the first file is away nothing can be mounted: whatever ends this goes on here, or goes back from here.
    if ($isPair -and -not [System.IO.File]::Exists($second['kept'])) { [System.IO.File]::Move($second['original'], $second['kept']) }
    if ($isPair -and [System.IO.File]::Exists($second['temporary'])) {
        Set-Acl -LiteralPath $second['temporary'] -AclObject (Get-Acl -LiteralPath $second['kept'])
        [System.IO.File]::Move($second['temporary'], $second['original'])
    }
    # From here on a flush map beside the original's name belongs to the new file.
    Set-Acl -LiteralPath $temporary -AclObject (Get-Acl -LiteralPath $kept)
    Move-GxFlushMap $temporary $original
    [System.IO.File]::Move($temporary, $original)
    $seen = Get-GxSwapState $Arguments
}
if ($seen['state'] -ne 'after') { Stop-Gx 'header-differs' $seen['evidence'] }
@{ state = 'after' }
