// The bytes of data/silero_vad.safetensors as read-only data of the program.
    .section .rodata
    .global whisper_s4y_silero_weights
    .global whisper_s4y_silero_weights_end
    .balign 64
whisper_s4y_silero_weights:
    .incbin SILERO_WEIGHTS
whisper_s4y_silero_weights_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
