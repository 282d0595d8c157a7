# goexchange host script: read-set, version 1
param($Arguments)

$folder = [string]$Arguments.folder
$path = [System.IO.Path]::Combine($folder, 'backup-set.json')
if (-not [System.IO.File]::Exists($path)) { Stop-Gx 'file-not-found' ('no manifest of a backup set: ' + $path) }
$length = (New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
if ($length -gt 8388608) { Stop-Gx 'too-large' ($path + ' has ' + $length + ' bytes') }
@{ manifest = [Convert]::ToBase64String((Read-GxBytes $path 0 ([int]$length))) }
