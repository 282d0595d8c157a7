# goexchange host script: read-verdict, version 1
param($Arguments)

$path = [System.IO.Path]::Combine([string]$Arguments.folder, 'backup-set.verdict.json')
$content = $null
if ([System.IO.File]::Exists($path)) {
    $length = (New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
    $content = [Convert]::ToBase64String((Read-GxBytes $path 0 ([int][Math]::Min($length, 262144))))
}
@{ exists = ($null -ne $content); content = $content }
