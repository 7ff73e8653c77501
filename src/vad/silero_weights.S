// The bytes of data/silero_vad.safetensors as read-only data of the program.
    .section .rodata
    .global kSileroWeights
    .global kSileroWeightsEnd
    .balign 64
kSileroWeights:
    .incbin SILERO_WEIGHTS
kSileroWeightsEnd:
    .byte 0
    .section .note.GNU-stack, "", %progbits
