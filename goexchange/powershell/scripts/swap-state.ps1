# goexchange host script: swap-state, version 1
param($Arguments)

Get-GxSwapState $Arguments
