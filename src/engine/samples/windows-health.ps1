#!/usr/bin/env pwsh
# @describe PowerShell: up time, disks, stopped services and pending restart
# @arg above=90 <PERCENT>   Fail when a disk is fuller than this
#
# Windows PowerShell 5.1 and PowerShell 7; on Linux and macOS disks and up time alone.
# Exit code 0: fine. 1: a disk is too full, an automatic service is stopped, or a restart is due.
param(
    [ValidateRange(1, 100)]
    [int]$Above = 90
)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$windows = $env:OS -eq 'Windows_NT'
$bad = $false

"{0}  PowerShell {1}" -f [System.Environment]::MachineName, $PSVersionTable.PSVersion

if ($windows) {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $up = (Get-Date) - $system.LastBootUpTime
    "{0} {1}" -f $system.Caption, $system.Version
} else {
    $up = Get-Uptime
    [System.Environment]::OSVersion.VersionString
}
"up {0} d {1:00} h {2:00} min" -f $up.Days, $up.Hours, $up.Minutes

foreach ($drive in [System.IO.DriveInfo]::GetDrives()) {
    if (-not $drive.IsReady -or $drive.DriveType -ne 'Fixed' -or $drive.TotalSize -eq 0) { continue }
    $percent = [math]::Round(100 * ($drive.TotalSize - $drive.AvailableFreeSpace) / $drive.TotalSize)
    $note = ''
    if ($percent -gt $Above) {
        $bad = $true
        $note = "  <- above $Above%"
    }
    "{0,3}%  {1,8:n1} GiB free  {2}{3}" -f $percent, ($drive.AvailableFreeSpace / 1GB), $drive.Name, $note
}

if ($windows) {
    # services that start late or on a trigger may rest with a clean exit
    $stopped = @(Get-CimInstance -ClassName Win32_Service -Filter "StartMode='Auto' AND State<>'Running' AND ExitCode<>0")
    foreach ($service in $stopped) {
        $bad = $true
        "stopped: {0} ({1}), exit code {2}" -f $service.Name, $service.DisplayName, $service.ExitCode
    }
    $keys = @(
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending',
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
    )
    if (@($keys | Where-Object { Test-Path -Path $_ }).Count -gt 0) {
        $bad = $true
        'a restart is due'
    }
}

if ($bad) { exit 1 }
exit 0
