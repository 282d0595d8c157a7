# goexchange host script: observe-mta, version 1
param($Arguments)

# Of a server with Exchange 2003, which has no cmdlets: build, message transfer agent, and its queue database.
$mtaService = 'MSExchangeMTA'
$mtaEvents = 'EventCode = 2119 OR EventCode = 2206'

function ConvertTo-MtaService($Found) {
    $start = [string]$Found.StartMode
    if ($start -eq 'Auto') { $start = 'Automatic' }
    return @{ name = [string]$Found.Name; state = [string]$Found.State; start_type = $start }
}

function Find-Service([string]$Name) {
    return Get-CimInstance -ClassName Win32_Service -Filter ("Name = '" + $Name + "'")
}

# The program of a service as its command line names it, with or without quotes.
function Get-Program([string]$Line) {
    $match = [regex]::Match($Line, '^\s*(?:"([^"]+)"|(.+?\.exe)(?:\s|$))', 'IgnoreCase')
    if (-not $match.Success) { return $null }
    return [string]($match.Groups[1].Value + $match.Groups[2].Value)
}

# The registry names the folder where somebody moved it; else it lies beside the programs.
function Get-DataFolder([string]$Bin) {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Services\MSExchangeMTA\Parameters')
    if ($null -ne $key -and $key.GetValue('MTA database path')) { return [string]$key.GetValue('MTA database path') }
    return [System.IO.Path]::Combine([System.IO.Path]::GetDirectoryName($Bin), 'mtadata')
}

function Read-Mta($Service) {
    $found = @{
        service = (ConvertTo-MtaService $Service)
        dependents = @()
        tool = $null
        data_folder = $null
        files = 0
        size_bytes = [long]0
        taken_out = 0
        events = @()
    }
    foreach ($one in @((Get-Service -Name $mtaService).DependentServices)) {
        if ($null -ne $one) { $found['dependents'] += ConvertTo-MtaService (Find-Service ([string]$one.Name)) }
    }
    $bin = [System.IO.Path]::GetDirectoryName((Get-Program ([string]$Service.PathName)))
    $tool = [System.IO.Path]::Combine($bin, 'mtacheck.exe')
    if ([System.IO.File]::Exists($tool)) { $found['tool'] = $tool }
    $folder = Get-DataFolder $bin
    if ([System.IO.Directory]::Exists($folder)) {
        $found['data_folder'] = $folder
        $out = [System.IO.Path]::Combine($folder, 'mtacheck.out')
        foreach ($path in @([System.IO.Directory]::GetFiles($folder))) {
            $found['files'] += 1
            $found['size_bytes'] += (New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
        }
        if ([System.IO.Directory]::Exists($out)) { $found['taken_out'] = @([System.IO.Directory]::GetFileSystemEntries($out)).Count }
    }
    $since = [DateTime]::Parse([string]$Arguments.events_since, [System.Globalization.CultureInfo]::InvariantCulture)
    $from = $since.ToUniversalTime().ToString('yyyyMMddHHmmss', [System.Globalization.CultureInfo]::InvariantCulture) + '.000000+000'
    $filter = "Logfile = 'Application' AND SourceName = '" + $mtaService + "' AND (" + $mtaEvents + ") AND TimeGenerated >= '" + $from + "'"
    foreach ($entry in @(Get-CimInstance -ClassName Win32_NTLogEvent -Filter $filter)) {
        if ($null -eq $entry) { continue }
        $text = [string]$entry.Message
        if ($text.Length -gt 1000) { $text = $text.Substring(0, 1000) }
        $found['events'] += @{
            log = [string]$entry.Logfile
            provider = [string]$entry.SourceName
            id = [int]$entry.EventCode
            at = (ConvertTo-GxTime $entry.TimeGenerated)
            text = $text
        }
    }
    return $found
}

function Get-Store {
    $store = Find-Service 'MSExchangeIS'
    if ($null -eq $store) { return $null }
    return Get-Program ([string]$store.PathName)
}

# The file version of the store is the build of the server: there is no ExSetup.exe.
function Get-Version([string]$Program) {
    if (-not $Program -or -not [System.IO.File]::Exists($Program)) { return $null }
    $version = [System.Diagnostics.FileVersionInfo]::GetVersionInfo($Program)
    return [string]::Join('.', [string[]]@($version.FileMajorPart, $version.FileMinorPart, $version.FileBuildPart, $version.FilePrivatePart))
}

$service = Find-Service $mtaService
$mta = $null
if ($null -ne $service) { $mta = Read-Mta $service }
# Its tools lie beside the program of the store.
$program = Get-Store
$tool = $null
if ($program) {
    $path = [System.IO.Path]::Combine([System.IO.Path]::GetDirectoryName($program), 'eseutil.exe')
    $found = Get-Version $path
    if ($found) { $tool = @{ path = $path; version = $found } }
}
@{ store_version = (Get-Version $program); eseutil = $tool; mta = $mta }
