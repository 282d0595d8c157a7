# goexchange host script: keep-run, version 1
param($Arguments)

Assert-GxFence $Arguments.root $Arguments.fence
$folder = New-GxFolder $Arguments.root @('runs', (Get-GxName $Arguments.run))
$kept = @()
foreach ($part in @($Arguments.parts)) {
    if (@('plan.json', 'approval.json', 'journal.jsonl') -notcontains [string]$part.name) { throw ('not a file of a run: ' + $part.name) }
    $path = [System.IO.Path]::Combine($folder, [string]$part.name)
    $length = [long]0
    if ([System.IO.File]::Exists($path)) { $length = [long](New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length }
    # A gap is never written: the answer says how much is there, and the rest is sent again.
    if ($null -ne $part.content -and [long]$part.offset -le $length) {
        $content = Expand-GxContent ([string]$part.content)
        $stream = Open-GxFile $path 'OpenOrCreate' 'Write' 'Read'
        try {
            [void]$stream.Seek([long]$part.offset, [System.IO.SeekOrigin]::Begin)
            $stream.Write($content, 0, $content.Length)
            $length = [long]$part.offset + $content.Length
            $stream.SetLength($length)
            Save-GxStream $stream
        }
        finally {
            $stream.Dispose()
        }
    }
    $digest = $null
    if ([System.IO.File]::Exists($path)) { $digest = Get-GxSha256 (Read-GxBytes $path 0 67108864) }
    $kept += @{ name = [string]$part.name; size_bytes = $length; sha256 = $digest }
}
Write-GxJson ([System.IO.Path]::Combine($folder, 'alive.json')) @{
    run = [string]$Arguments.run
    holder = [string]$Arguments.holder
    alive_at = Get-GxNow
}
@{ kept = @($kept) }
