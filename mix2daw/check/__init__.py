"""The preflight of a song: coded findings about stems and mix, each measured on the audio.

codes      what there is to find: names, severities, words                CODES
findings   a code, its files, what was measured
files                   what headers say
samples, band, peaks    one file by itself
kinship    stems that are made of one another or of the mix
placement, drift        where stems lie in the mix, and by which clock
filters, remains        least squares of the mix on all stems, and what they leave
presence, phases, fades, unexplained    what that tells
against    stems held against the mix
preflight  all of it                                                      check, Report
"""
