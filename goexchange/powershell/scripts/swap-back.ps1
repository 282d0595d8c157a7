# goexchange host script: swap-back, version 2
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$original = [string]$Arguments.original
$kept = [string]$Arguments.kept
$aside = [string]$Arguments.set_aside
$wanted = [string]$Arguments.original_sha256
foreach ($path in @($original, $kept, (Get-GxStreaming $original), (Get-GxStreaming $kept))) {
    if ([System.IO.File]::Exists($path)) { Assert-GxClosed $path }
}
if ([System.IO.File]::Exists($kept)) {
    $digest = Get-GxHeaderDigest $kept
    if ($digest -ne $wanted) { Stop-Gx 'header-differs' ('the kept original has header ' + $digest) }
    $second = Get-GxStreaming $original
    $keptSecond = Get-GxStreaming $kept
    if (-not [System.IO.File]::Exists($keptSecond) -and (Test-GxOtherStreaming $kept $second)) {
        Stop-Gx 'file-not-found' ('there is no file ' + $keptSecond)
    }
    if ([System.IO.File]::Exists($original)) {
        # A file that was mounted since it was looked at has another header, and holds new mail.
        $expected = [string]$Arguments.in_place_sha256
        if ($expected -and (Get-GxHeaderDigest $original) -ne $expected) { Stop-Gx 'header-differs' ('the file in place is another than the one looked at: ' + $original) }
        if ([System.IO.File]::Exists($aside)) { Stop-Gx 'path-exists' ('already there: ' + $aside) }
        Move-GxFlushMap $original $aside
        [System.IO.File]::Move($original, $aside)
    }
    # The second file goes back before the first one is in place again; what lies there is the rebuilt one's.
    if ([System.IO.File]::Exists($keptSecond)) {
        if ([System.IO.File]::Exists($second)) {
            $rebuilt = [string]$Arguments.temporary
            if ([System.IO.File]::Exists($aside)) { $rebuilt = $aside }
            [System.IO.File]::Move($second, (Get-GxStreaming $rebuilt))
        }
        [System.IO.File]::Move($keptSecond, $second)
    }
    # A flush map still here came in before its file did: it goes back to the rebuilt one.
    Move-GxFlushMap $original ([string]$Arguments.temporary)
    [System.IO.File]::Move($kept, $original)
}
if (-not [System.IO.File]::Exists($original)) { Stop-Gx 'file-not-found' ('neither ' + $original + ' nor ' + $kept + ' is there') }
$digest = Get-GxHeaderDigest $original
if ($digest -ne $wanted) { Stop-Gx 'header-differs' ('the file in place has header ' + $digest) }
# Also after an interruption between the two: the original's map follows its file.
if ([System.IO.File]::Exists((Get-GxFlushMap $kept))) { Move-GxFlushMap $kept $original }
@{ state = 'before' }
