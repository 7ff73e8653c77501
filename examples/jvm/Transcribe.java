// Transcribes a recording on the JVM: TensorFlow Lite of org.bytedeco:tensorflow-lite.
//
//   whisper-s4y convert tiny.en -o tiny.en.tflite --quantize int8 --for android
//   mvn -f examples/jvm/pom.xml dependency:copy-dependencies -DoutputDirectory=jars
//   java -cp 'examples/jvm/jars/*' examples/jvm/Transcribe.java tiny.en.tflite speech.wav
//
// The model is an English-only one, the recording 16-bit WAV, 16 kHz, mono, of which the first 30 s
// are heard. With --times the milliseconds of every signature follow the text.

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import javax.sound.sampled.UnsupportedAudioFileException;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithXNNPACK;
import org.bytedeco.tensorflowlite.FlatBufferModel;
import org.bytedeco.tensorflowlite.Interpreter;
import org.bytedeco.tensorflowlite.InterpreterBuilder;
import org.bytedeco.tensorflowlite.SignatureRunner;
import org.bytedeco.tensorflowlite.TfLiteTensor;

public final class Transcribe {
  private static final int WINDOW = 480000; // samples of 30 s
  private static final int POSITIONS = 448;
  private static final int PROMPT = 228;
  private static final int START = 50257; // <|startoftranscript|>, and below those that follow
  private static final int NO_TIMESTAMPS = 50362;
  private static final int END = 50256;
  private static final int BLANK = 220;

  private final FlatBufferModel model;
  private final Interpreter interpreter = new Interpreter();
  private final Map<String, SignatureRunner> runners = new LinkedHashMap<>();
  private final Map<String, List<Double>> times = new LinkedHashMap<>();

  private Transcribe(String path) throws IOException {
    model = FlatBufferModel.BuildFromFile(path);
    if (model == null || model.isNull()) throw new IOException(path + " is no model");
    InterpreterBuilder builder = new InterpreterBuilder(model, new BuiltinOpResolverWithXNNPACK());
    builder.SetNumThreads(2);
    check(builder.apply(interpreter), "The interpreter");
    for (long i = 0; i < interpreter.signature_keys().size(); ++i) {
      String key = interpreter.signature_keys().get(i).getString();
      SignatureRunner runner = interpreter.GetSignatureRunner(key);
      check(runner.AllocateTensors(), key);
      runners.put(key, runner);
    }
  }

  private static void check(int status, String what) throws IOException {
    if (status != 0) throw new IOException(what + " does not run: status " + status);
  }

  private SignatureRunner runner(String key) throws IOException {
    SignatureRunner runner = runners.get(key);
    if (runner == null) throw new IOException("The model has no signature " + key);
    return runner;
  }

  private void invoke(String key) throws IOException {
    long start = System.nanoTime();
    check(runner(key).Invoke(), key);
    times.computeIfAbsent(key, k -> new ArrayList<>()).add((System.nanoTime() - start) / 1e6);
  }

  private static void set(TfLiteTensor tensor, float... values) {
    new FloatPointer(tensor.data().data()).put(values, 0, values.length);
  }

  private static void set(TfLiteTensor tensor, int... values) {
    new IntPointer(tensor.data().data()).put(values, 0, values.length);
  }

  private static int[] ints(TfLiteTensor tensor) {
    int[] values = new int[(int) (tensor.bytes() / Integer.BYTES)];
    new IntPointer(tensor.data().data()).get(values);
    return values;
  }

  private static float[] floats(TfLiteTensor tensor) {
    float[] values = new float[(int) (tensor.bytes() / Float.BYTES)];
    new FloatPointer(tensor.data().data()).get(values);
    return values;
  }

  /** An output of one signature becomes an input of another, without a copy in Java. */
  private void hand(String from, String output, String to, String input) throws IOException {
    TfLiteTensor source = runner(from).output_tensor(output);
    Pointer.memcpy(
        runner(to).input_tensor(input).data().data(), source.data().data(), source.bytes());
  }

  private static List<String> names(PointerPointer<?> pointers, long count) {
    List<String> names = new ArrayList<>();
    for (long i = 0; i < count; ++i) names.add(new BytePointer(pointers.get(i)).getString());
    return names;
  }

  /** The text of a window in one call. */
  private String transcribe(float[] normalizedAudio) throws IOException {
    SignatureRunner transcribe = runner("transcribe");
    int[] prompt = new int[PROMPT];
    prompt[0] = START;
    prompt[1] = NO_TIMESTAMPS;
    set(transcribe.input_tensor("normalized_audio"), normalizedAudio);
    set(transcribe.input_tensor("prompt_tokens"), prompt);
    set(transcribe.input_tensor("prompt_length"), 2);
    set(transcribe.input_tensor("max_length"), POSITIONS);
    invoke("transcribe");

    TfLiteTensor bytes = transcribe.output_tensor("text_bytes");
    byte[] all = new byte[(int) bytes.bytes()];
    new BytePointer(bytes.data().data()).get(all);
    int width = all.length / POSITIONS;
    int[] lengths = ints(transcribe.output_tensor("text_lengths"));
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int i = 0; i < POSITIONS; ++i) text.write(all, i * width, lengths[i]);
    return text.toString(StandardCharsets.UTF_8).strip();
  }

  /** The tokens of a window by a loop of our own, as docs/models.md has it in Python. */
  private List<Integer> decode(float[] normalizedAudio) throws IOException {
    set(runner("features").input_tensor("normalized_audio"), normalizedAudio);
    invoke("features");
    hand("features", "logmel", "encode", "input_features");
    invoke("encode");
    hand("encode", "last_hidden_state", "cross", "last_hidden_state");
    invoke("cross");
    SignatureRunner step = runner("step");
    for (String name : names(step.input_names(), step.input_size())) {
      if (name.startsWith("cross_")) hand("cross", name, "step", name);
      if (name.startsWith("self_")) {
        TfLiteTensor cache = step.input_tensor(name);
        Pointer.memset(cache.data().data(), 0, cache.bytes());
      }
    }
    List<Integer> tokens = new ArrayList<>(List.of(START, NO_TIMESTAMPS));
    for (int position = 0; position < POSITIONS - 1; ++position) {
      set(step.input_tensor("token"), tokens.get(position));
      set(step.input_tensor("position"), position);
      invoke("step");
      for (String name : names(step.output_names(), step.output_size())) {
        if (name.startsWith("new_")) hand("step", name, "step", name.substring(4));
      }
      if (position + 1 < tokens.size()) continue;
      float[] logits = floats(step.output_tensor("logits"));
      if (position == 1) logits[BLANK] = logits[END] = -1e9f;
      int best = 0;
      for (int i = 1; i < logits.length; ++i) {
        if (logits[i] > logits[best]) best = i;
      }
      tokens.add(best);
      if (best == END) break;
    }
    return tokens;
  }

  private static float[] read(String path) throws IOException, UnsupportedAudioFileException {
    try (AudioInputStream in = AudioSystem.getAudioInputStream(new File(path))) {
      AudioFormat format = in.getFormat();
      if (format.getSampleRate() != 16000
          || format.getChannels() != 1
          || format.getSampleSizeInBits() != 16) {
        throw new IOException(path + " must have 16 bit, 16 kHz and one channel, not " + format);
      }
      ByteBuffer bytes = ByteBuffer.wrap(in.readNBytes(2 * WINDOW));
      bytes.order(format.isBigEndian() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
      float[] samples = new float[WINDOW]; // shorter recordings are followed by silence
      for (int i = 0; bytes.remaining() >= 2; ++i) samples[i] = bytes.getShort() / 32768f;
      return samples;
    }
  }

  public static void main(String[] arguments) throws Exception {
    List<String> rest = new ArrayList<>(Arrays.asList(arguments));
    boolean wantsTimes = rest.remove("--times");
    if (rest.size() != 2) {
      System.err.println("usage: Transcribe MODEL.tflite SPEECH.wav [--times]");
      System.exit(2);
    }
    Transcribe whisper = new Transcribe(rest.get(0));
    float[] audio = read(rest.get(1));
    System.out.println(whisper.transcribe(audio));
    if (!wantsTimes) return;
    whisper.transcribe(audio);
    whisper.decode(audio);
    System.out.println("tokens: " + whisper.decode(audio));
    whisper.times.forEach(
        (key, all) -> {
          double[] sorted = all.stream().mapToDouble(Double::doubleValue).sorted().toArray();
          System.out.printf("%s: %.2f ms%n", key, sorted[sorted.length / 2]);
        });
  }
}
