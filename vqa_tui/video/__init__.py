"""Videos: measuring them, taking frames out of them and cutting clips, by PyAV or by the ffmpeg program."""
