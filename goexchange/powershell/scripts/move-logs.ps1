# goexchange host script: move-logs, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$from = [System.IO.Path]::GetFullPath([string]$Arguments.from_folder).TrimEnd('\')
$to = [System.IO.Path]::GetFullPath([string]$Arguments.to_folder).TrimEnd('\')
$prefix = [string]$Arguments.prefix
if ($prefix -notmatch '^[A-Za-z][0-9A-Za-z]{2}$') { Stop-Gx 'outside-folder' ('no base name of logs: ' + $prefix) }
# One of the two lies in the other: a move is a rename on one volume.
$parents = @([System.IO.Path]::GetDirectoryName($from), [System.IO.Path]::GetDirectoryName($to))
if (-not ($parents[0] -eq $to -or $parents[1] -eq $from)) { Stop-Gx 'outside-folder' ($to + ' is not in ' + $from) }
$found = @()
if ([System.IO.Directory]::Exists($from)) {
    $inside = @(Get-ChildItem -LiteralPath $from -Force)
    foreach ($file in @($inside | Where-Object -FilterScript { -not $_.PSIsContainer } | Sort-Object -Property Name)) {
        $isOurs = $file.Name.StartsWith($prefix, [StringComparison]::OrdinalIgnoreCase)
        if ($isOurs -and @('.log', '.chk', '.jrs') -contains $file.Extension.ToLowerInvariant()) { $found += $file }
    }
}
# Nothing moves before everything is known to be free.
foreach ($file in $found) {
    Assert-GxClosed $file.FullName
    $target = [System.IO.Path]::Combine($to, $file.Name)
    if ([System.IO.File]::Exists($target)) { Stop-Gx 'path-exists' ('already there: ' + $target) }
}
[void][System.IO.Directory]::CreateDirectory($to)
# The checkpoint last: while it is there the stream is seen as it was.
foreach ($last in @($false, $true)) {
    foreach ($file in $found) {
        if (($file.Extension -eq '.chk') -eq $last) {
            [System.IO.File]::Move($file.FullName, [System.IO.Path]::Combine($to, $file.Name))
        }
    }
}
@{ moved = $found.Count }
