/* Local response normalisation over five channels. */
#include <math.h>

void KERNEL_NAME(float (*restrict x)[55][55], float (*restrict square)[55][55], float (*restrict sum)[55][55],
                 float (*restrict y)[55][55]) {
  for (int c = 0; c < 96; ++c)
    for (int i = 0; i < 55; ++i)
      for (int j = 0; j < 55; ++j) {
        square[c][i][j] = x[c][i][j] * x[c][i][j];
        sum[c][i][j] = 0;
      }
  for (int c = 0; c < 96; ++c)
    for (int k = c < 2 ? 0 : c - 2; k < (c > 93 ? 96 : c + 3); ++k)
      for (int i = 0; i < 55; ++i)
        for (int j = 0; j < 55; ++j)
          sum[c][i][j] += square[k][i][j];
  for (int c = 0; c < 96; ++c)
    for (int i = 0; i < 55; ++i)
      for (int j = 0; j < 55; ++j)
        y[c][i][j] = x[c][i][j] / powf(2.0f + 2e-5f * sum[c][i][j], 0.75f);
}
