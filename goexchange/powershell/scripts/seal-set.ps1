# goexchange host script: seal-set, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$folder = [string]$Arguments.folder
if (-not [System.IO.Directory]::Exists($folder)) { Stop-Gx 'file-not-found' ('there is no folder ' + $folder) }
$content = [Convert]::FromBase64String([string]$Arguments.manifest)
$path = [System.IO.Path]::Combine($folder, 'backup-set.json')
Write-GxFile $path $content
@{ path = $path; sha256 = (Get-GxSha256 $content) }
