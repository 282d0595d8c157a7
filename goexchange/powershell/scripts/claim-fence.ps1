# goexchange host script: claim-fence, version 1
param($Arguments)

Assert-GxRoot $Arguments.root
$path = [System.IO.Path]::Combine($Arguments.root, 'fence.json')
$gate = [System.IO.Path]::Combine($Arguments.root, 'fence.lock')

# Two claims at once would both read the old number: the gate lets one in at a time.
$stream = $null
$tries = 0
while ($null -eq $stream) {
    try {
        $stream = Open-GxFile $gate 'OpenOrCreate' 'ReadWrite' 'None'
    }
    catch {
        $tries = $tries + 1
        if ($tries -ge 50) { throw }
        Start-Sleep -Milliseconds 100
    }
}
try {
    if ([System.IO.File]::Exists($path)) {
        $kept = Read-GxJson $path
        $isOther = [string]$kept.holder -ne [string]$Arguments.holder
        $isSame = [long]$kept.fence -eq [long]$Arguments.fence
        if ([long]$kept.fence -gt [long]$Arguments.fence -or ($isOther -and $isSame)) {
            Stop-Gx 'fenced' ('fencing number ' + $kept.fence + ' is held by ' + $kept.holder)
        }
    }
    $claim = @{
        fence = [long]$Arguments.fence
        holder = [string]$Arguments.holder
        claimed_at = [string]$Arguments.claimed_at
    }
    Write-GxJson $path $claim
}
finally {
    $stream.Dispose()
}
@{ fence = [long]$Arguments.fence; holder = [string]$Arguments.holder }
