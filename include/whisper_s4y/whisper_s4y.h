/* whisper-s4y for C, and for everything that can call C.
 *
 *     whisper_s4y_model* model = NULL;
 *     whisper_s4y_transcriber* transcriber = NULL;
 *     whisper_s4y_transcript* transcript = NULL;
 *     if (whisper_s4y_model_open("whisper-base.tflite", NULL, &model) != WHISPER_S4Y_OK ||
 *         whisper_s4y_transcriber_create(model, &transcriber) != WHISPER_S4Y_OK ||
 *         whisper_s4y_transcribe_file(transcriber, "talk.mp3", NULL, NULL, NULL, &transcript) !=
 *             WHISPER_S4Y_OK) {
 *       fprintf(stderr, "%s\n", whisper_s4y_last_error());
 *     } else {
 *       printf("%s\n", whisper_s4y_transcript_text(transcript));
 *     }
 *     whisper_s4y_transcript_destroy(transcript);
 *     whisper_s4y_transcriber_destroy(transcriber);
 *     whisper_s4y_model_destroy(model);
 *
 * Rules that hold for all of it:
 * - Functions that can fail return a status. After a failure whisper_s4y_last_error() has the
 *   sentence; what the function would have given out is NULL or 0. No C++ exception comes out.
 * - Texts are UTF-8 and end with a zero byte. Paths are the system's.
 * - A `char*` or other memory that a function gives out is freed by whisper_s4y_free(). A
 *   `const char*` belongs to the object it came from, and lives as long.
 * - Objects are freed by their destroy function, which takes NULL too. Destroying an object does
 * not harm those made from it: a transcriber keeps its model. Right after a call that was cancelled
 * it does not wait either: what the processor is at goes on to its end in the background, a second
 * or two with large models, and is freed then.
 * - A model may be used by several threads at once, every other object by one thread at a time.
 * - Structs begin with struct_size, which the caller sets to sizeof of the struct as it knows it,
 * so that later versions can add fields at the end. WHISPER_S4Y_INIT does that and zeroes the rest.
 * - Callbacks run in the thread of the call they were given to, and must return normally. Those
 * that are NULL are not called.
 * - Options are NULL for the defaults.
 */
#ifndef WHISPER_S4Y_WHISPER_S4Y_H
#define WHISPER_S4Y_WHISPER_S4Y_H

#include <stddef.h> /* NOLINT(modernize-deprecated-headers): this is C */
#include <stdint.h> /* NOLINT(modernize-deprecated-headers) */

#include "whisper_s4y/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Grows when a function or a field is added; a program that was built for a higher number than
 * whisper_s4y_abi_version() says needs a newer library. */
#define WHISPER_S4Y_ABI_VERSION 3

/** whisper_s4y_segment segment = WHISPER_S4Y_INIT(whisper_s4y_segment); */
#ifdef __cplusplus
#define WHISPER_S4Y_INIT(type) \
  type { sizeof(type) }
#else
#define WHISPER_S4Y_INIT(type) \
  { .struct_size = sizeof(type) }
#endif

/** What kind of thing went wrong; the numbers are those of ErrorCode in error.h. */
typedef enum whisper_s4y_status {
  WHISPER_S4Y_OK = 0,
  WHISPER_S4Y_INVALID_ARGUMENT = 1, /**< an option or an argument is impossible */
  WHISPER_S4Y_IO = 2,               /**< the system cannot open, read or write a file */
  WHISPER_S4Y_INVALID_FILE = 3,     /**< a file is damaged, or not what it was taken for */
  WHISPER_S4Y_UNSUPPORTED = 4,      /**< this model or file cannot do what is asked of it */
  WHISPER_S4Y_NOT_FOUND = 5,        /**< no such signature, tensor, format or model */
  WHISPER_S4Y_NETWORK = 6,          /**< the hub cannot be reached, or refuses */
  WHISPER_S4Y_RUNTIME = 7,          /**< LiteRT cannot load or run the model */
  WHISPER_S4Y_OUT_OF_MEMORY = 8,
  WHISPER_S4Y_CANCELLED = 9, /**< the callback `cancelled` said so */
  WHISPER_S4Y_INTERNAL = 10  /**< a fault of whisper-s4y's */
} whisper_s4y_status;

/** "1.0.0". */
WHISPER_S4Y_API const char* whisper_s4y_version(void);
/** The WHISPER_S4Y_ABI_VERSION that the library was built with. */
WHISPER_S4Y_API int whisper_s4y_abi_version(void);
/** The sentence of the last failure in this thread; "" when there was none. Valid until the next
 * call in this thread. */
WHISPER_S4Y_API const char* whisper_s4y_last_error(void);
/** Frees what a function gave out; takes NULL too. */
WHISPER_S4Y_API void whisper_s4y_free(void* memory);

/* ---- Options ---- */

/** The structs of options, whose fields the C++ headers describe. */
typedef enum whisper_s4y_options_kind {
  WHISPER_S4Y_TRANSCRIBE_OPTIONS = 0, /**< transcriber.h: TranscribeOptions */
  WHISPER_S4Y_VAD_OPTIONS = 1,        /**< vad.h: VadOptions */
  WHISPER_S4Y_LIVE_OPTIONS = 2,       /**< live.h: LiveOptions */
  WHISPER_S4Y_OUTPUT_OPTIONS = 3,     /**< output.h: OutputOptions */
  WHISPER_S4Y_AUDIO_OPTIONS = 4,      /**< audio.h: AudioOptions */
  WHISPER_S4Y_RUNTIME_OPTIONS = 5,    /**< model.h: RuntimeOptions */
  WHISPER_S4Y_CONVERT_OPTIONS = 6,    /**< convert.h: ConvertOptions */
  WHISPER_S4Y_PULL_OPTIONS = 7,       /**< checkpoint.h: PullOptions */
  /** No kind: it makes any int32_t from 0 on a value of this type, so that what this library does
   * not know is refused rather than undefined. */
  WHISPER_S4Y_OPTIONS_KIND_MAX = 0x7fffffff
} whisper_s4y_options_kind;

/** Options of one kind. Functions that take another kind fail with INVALID_ARGUMENT. */
typedef struct whisper_s4y_options whisper_s4y_options;

/** All at their defaults. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_options_create(whisper_s4y_options_kind kind,
                                                              whisper_s4y_options** options);
WHISPER_S4Y_API void whisper_s4y_options_destroy(whisper_s4y_options* options);
/** Sets an option by its name from a text: "beam_size" to "5", "language" to "de", "temperatures"
 * to "0,0.4,0.8", "vad_filter" to "true", "no_speech_threshold" to "none". A dot leads to an option
 * of options inside: "vad_options.threshold" to "0.4", of LIVE_OPTIONS "transcribe.language" to
 * "de". Leaves the options as they were when it fails. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_options_set(whisper_s4y_options* options,
                                                           const char* name, const char* value);
/** Sets the options that a JSON object names: {"beam_size": 5, "temperatures": [0, 0.4]}. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_options_set_json(whisper_s4y_options* options,
                                                                const char* json);
/** All of them as a JSON object. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_options_get_json(const whisper_s4y_options* options,
                                                                char** json);
/** What options of a kind there are, for bindings: a JSON array of objects with name, type,
 * nullable, default, help, and, where there are, least, most, of a list least_items and most_items,
 * and choices. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_options_describe(whisper_s4y_options_kind kind,
                                                                char** json);

/* ---- Callbacks ---- */

typedef struct whisper_s4y_segment whisper_s4y_segment;

/** What the caller may hear of during a long call. */
typedef struct whisper_s4y_callbacks {
  size_t struct_size;
  void* user_data; /**< handed to each */
  /** Transcription: a segment is final. Valid during the call. */
  void (*on_segment)(void* user_data, const whisper_s4y_segment* segment);
  /** Seconds of the recording, or bytes of a file; total is 0 when it is not known. */
  void (*on_progress)(void* user_data, double done, double total);
  /** Something went wrong without stopping the work: a sentence. */
  void (*on_warning)(void* user_data, const char* message);
  /** Other than 0: stop. Transcriptions then give out what there is, everything else fails with
   * CANCELLED. Asked many times a second. */
  int (*cancelled)(void* user_data);
  /** The same without a call: other than 0 there means stop. Another thread may write it while the
   * call runs. */
  const int* stop;
  /** Transcription: the languages are known, as whisper_s4y_detect_language() gives them; once,
   * before the first segment. */
  void (*on_languages)(void* user_data, const char* json);
} whisper_s4y_callbacks;

/* ---- Sound ---- */

/** Samples per second of all sound that functions take and give: mono float, in [-1, 1]. */
#define WHISPER_S4Y_SAMPLE_RATE 16000

/** Reads any file that FFmpeg reads; `audio` are AUDIO_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_load_audio(const char* path,
                                                          const whisper_s4y_options* audio,
                                                          float** samples, size_t* count);
/** The same for a file in memory. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_load_audio_memory(const void* file, size_t size,
                                                                 const whisper_s4y_options* audio,
                                                                 float** samples, size_t* count);

/** The two with callbacks, of which `cancelled` and `stop` count. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_read_audio(const char* path,
                                                          const whisper_s4y_options* audio,
                                                          const whisper_s4y_callbacks* callbacks,
                                                          float** samples, size_t* count);
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_read_audio_memory(
    const void* file, size_t size, const whisper_s4y_options* audio,
    const whisper_s4y_callbacks* callbacks, float** samples, size_t* count);

/** A stretch of speech in samples: [start, end). */
typedef struct whisper_s4y_speech {
  int64_t start;
  int64_t end;
} whisper_s4y_speech;

/** Where somebody speaks; `vad` are VAD_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_speech_timestamps(const float* samples, size_t count,
                                                                 const whisper_s4y_options* vad,
                                                                 whisper_s4y_speech** speech,
                                                                 size_t* speech_count);
/** The same with callbacks, of which `cancelled`, `stop` and `on_warning` count. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_find_speech(const float* samples, size_t count,
                                                           const whisper_s4y_options* vad,
                                                           const whisper_s4y_callbacks* callbacks,
                                                           whisper_s4y_speech** speech,
                                                           size_t* speech_count);

/* ---- Models ---- */

/** A converted model: immutable, shared by all made from it and by any number of threads. */
typedef struct whisper_s4y_model whisper_s4y_model;

/** Opens a .tflite file; `runtime` are RUNTIME_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_model_open(const char* path,
                                                          const whisper_s4y_options* runtime,
                                                          whisper_s4y_model** model);
/** The same for a file in memory, which is copied; `name` stands for its path in messages. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_model_open_memory(const void* file, size_t size,
                                                                 const char* name,
                                                                 const whisper_s4y_options* runtime,
                                                                 whisper_s4y_model** model);
/** A front end alone, without any checkpoint: its one signature `features` takes normalized_audio
 * float32 [1, 480000] and gives logmel float32 [1, num_mel_bins, 3000]. num_mel_bins is 80 or 128.
 */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_model_front_end(int num_mel_bins,
                                                               const whisper_s4y_options* runtime,
                                                               whisper_s4y_model** model);
WHISPER_S4Y_API void whisper_s4y_model_destroy(whisper_s4y_model* model);
/** Name, dimensions, languages, special tokens, signatures and threads of a run as a JSON object.
 */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_model_info(const whisper_s4y_model* model,
                                                          char** json);
/** The tokens of a text. "<|en|>" in a text is text, never a special token. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_tokenize(const whisper_s4y_model* model,
                                                        const char* text, int32_t** tokens,
                                                        size_t* count);
/** The text of tokens. Other than 0: special_tokens as their names, timestamps as <|0.00|>. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_detokenize(const whisper_s4y_model* model,
                                                          const int32_t* tokens, size_t count,
                                                          int special_tokens, int timestamps,
                                                          char** text);

/** The code of a language, "de", that is given by its code or its name, "German". */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_language_code(const char* name_or_code, char** code);

/* ---- Sessions: any signature of a model ---- */

/** The tensors of one user of a model. */
typedef struct whisper_s4y_session whisper_s4y_session;

/** Element types; the numbers are those of TensorType in the TFLite schema. */
typedef enum whisper_s4y_dtype {
  WHISPER_S4Y_F32 = 0,
  WHISPER_S4Y_F16 = 1,
  WHISPER_S4Y_I32 = 2,
  WHISPER_S4Y_U8 = 3,
  WHISPER_S4Y_I64 = 4,
  WHISPER_S4Y_STRING = 5,
  WHISPER_S4Y_BOOL = 6,
  WHISPER_S4Y_I8 = 9,
  WHISPER_S4Y_I4 = 17
} whisper_s4y_dtype;

#define WHISPER_S4Y_MAX_RANK 8

/** An input or output of a signature. */
typedef struct whisper_s4y_tensor {
  size_t struct_size;
  whisper_s4y_dtype dtype;
  int32_t rank;
  int32_t shape[WHISPER_S4Y_MAX_RANK];
  /** Of an input to be written, of an output to be read. It lives with the session, and is the
   * tensor's until the tensor is bound or unbound. */
  void* data;
  size_t bytes; /**< of data */
} whisper_s4y_tensor;

/** `threads` of one run; 0: as the model has it. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_session_create(const whisper_s4y_model* model,
                                                              int threads,
                                                              whisper_s4y_session** session);
WHISPER_S4Y_API void whisper_s4y_session_destroy(whisper_s4y_session* session);
/** A tensor by the names in whisper_s4y_model_info(). Inputs begin as zeros. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_session_input(whisper_s4y_session* session,
                                                             const char* signature,
                                                             const char* name,
                                                             whisper_s4y_tensor* tensor);
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_session_output(whisper_s4y_session* session,
                                                              const char* signature,
                                                              const char* name,
                                                              whisper_s4y_tensor* tensor);
/** Makes a tensor the same memory as another one of the same size, so that the outputs of one run
 * are inputs of the next without a copy: ("step", "self_k_0", "step", "new_self_k_0"). */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_session_bind(whisper_s4y_session* session,
                                                            const char* signature,
                                                            const char* tensor,
                                                            const char* to_signature,
                                                            const char* to_tensor);
/** Gives a tensor that was bound memory of its own again. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_session_unbind(whisper_s4y_session* session,
                                                              const char* signature,
                                                              const char* tensor);
/** Computes the outputs of a signature; of the callbacks `cancelled` is asked. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_session_run(whisper_s4y_session* session,
                                                           const char* signature,
                                                           const whisper_s4y_callbacks* callbacks);

/* ---- Transcription ---- */

/** Transcribes recordings with a model, one at a time. */
typedef struct whisper_s4y_transcriber whisper_s4y_transcriber;
/** What was said in a recording. */
typedef struct whisper_s4y_transcript whisper_s4y_transcript;

/** A phrase or sentence; transcript.h describes the fields. */
struct whisper_s4y_segment {
  size_t struct_size;
  int32_t id;
  int32_t seek;
  double start; /**< seconds from the beginning of the recording */
  double end;
  const char* text;
  const char* language;
  const char* channel; /**< "" unless channels are told apart */
  const int32_t* tokens;
  size_t token_count;
  size_t word_count; /**< 0 unless word timestamps were asked for */
  float temperature;
  float avg_logprob;
  float compression_ratio;
  float no_speech_prob;
  const void* object; /**< for whisper_s4y_segment_word() */
};

/** A spoken word. */
typedef struct whisper_s4y_word {
  size_t struct_size;
  const char* word; /**< with its leading space */
  double start;     /**< seconds from the beginning of the recording */
  double end;
  float probability;
} whisper_s4y_word;

WHISPER_S4Y_API whisper_s4y_status whisper_s4y_transcriber_create(
    const whisper_s4y_model* model, whisper_s4y_transcriber** transcriber);
/** The same with `threads` of one run; 0: as the model has it. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_transcriber_open(
    const whisper_s4y_model* model, int threads, whisper_s4y_transcriber** transcriber);
WHISPER_S4Y_API void whisper_s4y_transcriber_destroy(whisper_s4y_transcriber* transcriber);
/** Transcribes samples; `options` are TRANSCRIBE_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_transcribe(whisper_s4y_transcriber* transcriber,
                                                          const float* samples, size_t count,
                                                          const whisper_s4y_options* options,
                                                          const whisper_s4y_callbacks* callbacks,
                                                          whisper_s4y_transcript** transcript);
/** The same for any file that FFmpeg reads; `audio` are AUDIO_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_transcribe_file(
    whisper_s4y_transcriber* transcriber, const char* path, const whisper_s4y_options* audio,
    const whisper_s4y_options* options, const whisper_s4y_callbacks* callbacks,
    whisper_s4y_transcript** transcript);
/** Code and probability of the likeliest languages as a JSON array of pairs: [["en", 0.98], ...].
 */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_detect_language(whisper_s4y_transcriber* transcriber,
                                                               const float* samples, size_t count,
                                                               const whisper_s4y_options* options,
                                                               char** json);
/** The same with callbacks, of which `cancelled`, `stop` and `on_warning` count. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_find_languages(
    whisper_s4y_transcriber* transcriber, const float* samples, size_t count,
    const whisper_s4y_options* options, const whisper_s4y_callbacks* callbacks, char** json);

/** A transcript of its fields, as a JSON object: what whisper_s4y_transcript_format() writes as
 * json, and what whisper_s4y_transcript_info() tells. Fields that are left out are empty or 0. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_transcript_create(const char* json, whisper_s4y_transcript** transcript);
WHISPER_S4Y_API void whisper_s4y_transcript_destroy(whisper_s4y_transcript* transcript);
/** What there is to say of it besides its segments as a JSON object: language,
 * language_probability, duration, duration_after_vad, is_cut and warnings; transcript.h describes
 * them. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_transcript_info(const whisper_s4y_transcript* transcript, char** json);
WHISPER_S4Y_API const char* whisper_s4y_transcript_text(const whisper_s4y_transcript* transcript);
/** Code of the language that is spoken longest; "" when there is no speech. */
WHISPER_S4Y_API const char* whisper_s4y_transcript_language(
    const whisper_s4y_transcript* transcript);
WHISPER_S4Y_API double whisper_s4y_transcript_duration(const whisper_s4y_transcript* transcript);
WHISPER_S4Y_API size_t whisper_s4y_transcript_segments(const whisper_s4y_transcript* transcript);
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_transcript_segment(
    const whisper_s4y_transcript* transcript, size_t index, whisper_s4y_segment* segment);
/** A word of a segment that a callback or the function above gave out. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_segment_word(const whisper_s4y_segment* segment,
                                                            size_t index, whisper_s4y_word* word);
/** The transcript as txt, vtt, srt, tsv, json, lrc or csv; `output` are OUTPUT_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_transcript_format(const whisper_s4y_transcript* transcript, const char* format,
                              const whisper_s4y_options* output, char** text);
/** The same to a file, which appears when it is complete. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_transcript_write(const whisper_s4y_transcript* transcript, const char* format,
                             const whisper_s4y_options* output, const char* path);

/* ---- Streams: a transcription that is taken segment by segment ---- */

/** A transcription in a thread of the library's. It finds the languages by itself, transcribes from
 * the first whisper_s4y_stream_next() on, and is never more than some segments ahead of it. */
typedef struct whisper_s4y_stream whisper_s4y_stream;

/** What whisper_s4y_stream_next() has found. */
typedef enum whisper_s4y_stream_state {
  WHISPER_S4Y_STREAM_WAITING = 0, /**< nothing yet: the time is over */
  WHISPER_S4Y_STREAM_SEGMENT = 1, /**< a segment */
  WHISPER_S4Y_STREAM_END = 2      /**< there are no more */
} whisper_s4y_stream_state;

/** Begins to transcribe samples, which stay where they are until the stream is destroyed, as does
 * the transcriber, which must not be used otherwise meanwhile. `options` are TRANSCRIBE_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_stream_samples(whisper_s4y_transcriber* transcriber,
                                                              const float* samples, size_t count,
                                                              const whisper_s4y_options* options,
                                                              whisper_s4y_stream** stream);
/** The same for any file that FFmpeg reads; `audio` are AUDIO_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_stream_file(whisper_s4y_transcriber* transcriber,
                                                           const char* path,
                                                           const whisper_s4y_options* audio,
                                                           const whisper_s4y_options* options,
                                                           whisper_s4y_stream** stream);
/** The same for a file in memory, which stays where it is until the stream is destroyed. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_stream_memory(whisper_s4y_transcriber* transcriber,
                                                             const void* file, size_t size,
                                                             const whisper_s4y_options* audio,
                                                             const whisper_s4y_options* options,
                                                             whisper_s4y_stream** stream);
/** Stops a stream that is not over, and waits until it has stopped. */
WHISPER_S4Y_API void whisper_s4y_stream_destroy(whisper_s4y_stream* stream);
/** Waits for the next segment, at most `wait_ms` milliseconds, without limit when it is negative.
 * The segment is valid until the next call. What went wrong in the thread is this call's failure.
 */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_stream_next(whisper_s4y_stream* stream, int wait_ms,
                                                           whisper_s4y_segment* segment,
                                                           whisper_s4y_stream_state* state);
/** Waits for the languages, as whisper_s4y_detect_language() gives them; NULL when the time is
 * over,
 * "[]" when there is no speech. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_stream_languages(whisper_s4y_stream* stream,
                                                                int wait_ms, char** json);
/** How far it has come in seconds of the recording; `total` is 0 when it is not known. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_stream_progress(whisper_s4y_stream* stream,
                                                               double* done, double* total);
/** The next sentence about what went wrong without stopping the work; NULL when there is none. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_stream_warning(whisper_s4y_stream* stream,
                                                              char** message);
/** Tells it to stop soon; what there is by then is its transcript. From any thread. */
WHISPER_S4Y_API void whisper_s4y_stream_stop(whisper_s4y_stream* stream);
/** Waits for the end, however many segments were not taken, and gives all of it. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_stream_transcript(whisper_s4y_stream* stream, whisper_s4y_transcript** transcript);

/* ---- Live ---- */

/** Speech to text while it is spoken. */
typedef struct whisper_s4y_live whisper_s4y_live;

/** What is known of an utterance; live.h describes the fields. */
typedef struct whisper_s4y_live_text {
  size_t struct_size;
  const char* confirmed;
  const char* tentative;
  const char* language;
  double start; /**< seconds from the beginning of the sound */
  double end;
  int is_final;
  size_t word_count;  /**< 0 unless word timestamps were asked for */
  const void* object; /**< for whisper_s4y_live_text_word() */
} whisper_s4y_live_text;

/** `options` are LIVE_OPTIONS. The transcriber must not be used otherwise meanwhile. `on_text` is
 * called in whisper_s4y_live_push() and whisper_s4y_live_finish(); the text is valid during the
 * call. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_live_create(whisper_s4y_transcriber* transcriber, const whisper_s4y_options* options,
                        void (*on_text)(void* user_data, const whisper_s4y_live_text* text),
                        void* user_data, whisper_s4y_live** live);
/** The same with callbacks, of which `cancelled`, `stop` and `on_warning` count. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_live_open(whisper_s4y_transcriber* transcriber, const whisper_s4y_options* options,
                      void (*on_text)(void* user_data, const whisper_s4y_live_text* text),
                      const whisper_s4y_callbacks* callbacks, whisper_s4y_live** live);
WHISPER_S4Y_API void whisper_s4y_live_destroy(whisper_s4y_live* live);
/** A word of a text that the callback was given. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_live_text_word(const whisper_s4y_live_text* text,
                                                              size_t index, whisper_s4y_word* word);
/** Hears any number of samples. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_live_push(whisper_s4y_live* live,
                                                         const float* samples, size_t count);
/** The sound is over. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_live_finish(whisper_s4y_live* live);

/* ---- Checkpoints ---- */

/** Converts a checkpoint, a path or the name of a model on the hub, into a file; `options` are
 * CONVERT_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_convert(const char* checkpoint, const char* output,
                                                       const whisper_s4y_options* options,
                                                       const whisper_s4y_callbacks* callbacks);
/** The same into memory. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_convert_to_memory(const char* checkpoint, const whisper_s4y_options* options,
                              const whisper_s4y_callbacks* callbacks, void** file, size_t* size);
/** A .tflite file with a front end alone, made without a checkpoint: the part features-extractor,
 * whose one signature `serving_default` takes normalized_audio float32 [480000] and gives logmel
 * float32 [1, num_mel_bins, 3000]. num_mel_bins is 80 or 128. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_make_front_end(int num_mel_bins, void** file,
                                                              size_t* size);
/** What a .tflite file, a checkpoint or a recording holds, as a JSON object. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_describe_file(const char* path, char** json);
/** Writes a checkpoint as safetensors, openai, ggml or ctranslate2 into a folder. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_export(const char* checkpoint, const char* folder,
                                                      const char* format,
                                                      const whisper_s4y_callbacks* callbacks);
/** Downloads a checkpoint from the hub into a folder; `revision` is a branch, tag or commit, NULL
 * for main. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_pull(const char* name, const char* folder,
                                                    const char* revision,
                                                    const whisper_s4y_callbacks* callbacks);
/** The same with all there is to say of the hub; `hub` are PULL_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_download(const char* name, const char* folder,
                                                        const whisper_s4y_options* hub,
                                                        const whisper_s4y_callbacks* callbacks);
/** File or folder of a checkpoint: a path that exists as it is; a model's name from the caches,
 * else downloaded into ours. `hub` are PULL_OPTIONS. */
WHISPER_S4Y_API whisper_s4y_status
whisper_s4y_resolve_checkpoint(const char* checkpoint, const whisper_s4y_options* hub,
                               const whisper_s4y_callbacks* callbacks, char** path);
/** The short names of models on the hub as a JSON array: ["tiny", "tiny.en", ...]. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_model_names(char** json);

/* ---- Evaluation ---- */

/** A text as openai/whisper's evaluations compare it; `language` is a code. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_normalize(const char* text, const char* language,
                                                         char** normalized);

/** The fewest changes that make a reference out of a hypothesis. */
typedef struct whisper_s4y_errors {
  size_t struct_size;
  size_t substitutions;
  size_t deletions;
  size_t insertions;
  size_t reference; /**< words of the reference */
} whisper_s4y_errors;

/** By words between white space, as they stand: normalise both texts first. */
WHISPER_S4Y_API whisper_s4y_status whisper_s4y_word_errors(const char* reference,
                                                           const char* hypothesis,
                                                           whisper_s4y_errors* errors);

#ifdef __cplusplus
}
#endif

#endif /* WHISPER_S4Y_WHISPER_S4Y_H */
