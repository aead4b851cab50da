#include <execinfo.h>
#include <unistd.h>
#include <stdlib.h>

__attribute__((noinline)) int charge(int amount) {
  void *frames[16];
  backtrace_symbols_fd(frames, backtrace(frames, 16), STDERR_FILENO);
  exit(3 + amount);
}

__attribute__((noinline)) int pay(int amount) { return charge(amount) + 1; }

int main(void) { return pay(1) + 1; }
