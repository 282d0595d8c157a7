"""One module per verb: wiring. `perform` carries out the driver's effects and decides nothing."""
