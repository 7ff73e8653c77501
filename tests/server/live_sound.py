"""Recordings as bytes that live protocols carry."""

import array
import wave


def samples_16k(path):
    with wave.open(str(path)) as recording:
        assert (recording.getframerate(), recording.getnchannels(),
                recording.getsampwidth()) == (16000, 1, 2)
        return array.array("h", recording.readframes(recording.getnframes()))


def pcm_24k(path, silence=0.0):
    """16-bit PCM at 24 kHz with silence behind it: three samples of every two, on straight lines."""
    source = samples_16k(path)
    result = array.array("h")
    for i in range(0, len(source) - 2, 2):
        a, b, c = source[i:i + 3]
        result.extend((a, (a + 2 * b) // 3, (2 * b + c) // 3))
    result.extend([0] * int(24000 * silence))
    return result.tobytes()


def mu_law(sample):
    """A code of ITU-T G.711."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 0x0F)) & 0xFF


def mu_law_8k(path, silence=0.0):
    source = samples_16k(path)
    means = ((source[i] + source[i + 1]) // 2 for i in range(0, len(source) - 1, 2))
    return bytes(map(mu_law, means)) + bytes([0xFF]) * int(8000 * silence)


def words(text):
    return "".join(c for c in text.lower() if c.isalnum() or c.isspace()).split()
