/* The program of the Python wheel: it stands in the library that the package loads. */
int whisper_s4y_main(int argc, char** argv);

int main(int argc, char** argv) { return whisper_s4y_main(argc, argv); }
