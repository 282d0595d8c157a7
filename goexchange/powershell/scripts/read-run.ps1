# goexchange host script: read-run, version 1
param($Arguments)

$pieceMax = 524288
$root = [string]$Arguments.root
$folder = Join-GxPath $root @('runs', (Get-GxName $Arguments.run))
$path = [System.IO.Path]::Combine($folder, [System.IO.Path]::GetFileName([string]$Arguments.name))
if (-not [System.IO.File]::Exists($path)) { Stop-Gx 'file-not-found' ('there is no file ' + $path) }
$weakness = Get-GxWeakness $root
if ($weakness) { Stop-Gx 'root-not-private' ('the folder ' + $root + ' is not private: ' + $weakness) }
$length = [long](New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
$content = Read-GxBytes $path ([long]$Arguments.offset) $pieceMax
@{ size_bytes = $length; content = [Convert]::ToBase64String($content) }
