# goexchange host script: read-header, version 1
param($Arguments)

$path = [string]$Arguments.path
if (-not [System.IO.File]::Exists($path)) { Stop-Gx 'file-not-found' ('there is no file ' + $path) }
Assert-GxClosed $path
$length = (New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
$slots = Read-GxBytes $path 0 (2 * [int]$Arguments.page_bytes)

$output = New-Object -TypeName System.IO.StringWriter
$errorOutput = New-Object -TypeName System.IO.StringWriter
$eseutil = [string]$Arguments.eseutil
$exitCode = Invoke-GxTool $eseutil @('/mh', $path, '/o') $output $errorOutput

$logFiles = @()
if ($null -ne $Arguments.log_folder) {
    $prefix = [string]$Arguments.log_prefix
    $inside = @(Get-ChildItem -LiteralPath ([string]$Arguments.log_folder) -Force)
    $found = @($inside | Where-Object -FilterScript { -not $_.PSIsContainer })
    foreach ($file in @($found | Sort-Object -Property Name)) {
        $isOurs = $file.Name.StartsWith($prefix, [StringComparison]::OrdinalIgnoreCase)
        if ($isOurs -and @('.log', '.chk', '.jrs') -contains $file.Extension.ToLowerInvariant()) {
            $logFiles += @{
                path = [string]$file.FullName
                size_bytes = [long]$file.Length
                modified_at = (ConvertTo-GxTime $file.LastWriteTimeUtc)
            }
        }
    }
}
$flushMap = Get-GxFlushMap $path
if (-not [System.IO.File]::Exists($flushMap)) { $flushMap = $null }
@{
    size_bytes = [long]$length
    slots = [Convert]::ToBase64String($slots)
    eseutil = @{
        exit_code = $exitCode
        output = [Convert]::ToBase64String($GxUtf8.GetBytes($output.ToString()))
        error_output = [Convert]::ToBase64String($GxUtf8.GetBytes($errorOutput.ToString()))
    }
    log_files = @($logFiles)
    jfm = $flushMap
}
