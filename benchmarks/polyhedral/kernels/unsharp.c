/* Sharpening: an image plus a share of what a 5 x 5 blur takes away, between 0 and 1. */
void KERNEL_NAME(float (*restrict x)[2004], float (*restrict rows)[2004], float (*restrict blur)[2004],
                 float (*restrict y)[2004]) {
  for (int i = 0; i < 1500; ++i)
    for (int j = 2; j < 2002; ++j)
      rows[i][j] =
          0.0625f * (x[i][j - 2] + x[i][j + 2]) + 0.25f * (x[i][j - 1] + x[i][j + 1]) + 0.375f * x[i][j];
  for (int i = 2; i < 1498; ++i)
    for (int j = 2; j < 2002; ++j)
      blur[i][j] = 0.0625f * (rows[i - 2][j] + rows[i + 2][j]) + 0.25f * (rows[i - 1][j] + rows[i + 1][j]) +
                   0.375f * rows[i][j];
  for (int i = 2; i < 1498; ++i)
    for (int j = 2; j < 2002; ++j)
      y[i][j] = x[i][j] + 1.5f * (x[i][j] - blur[i][j]);
  for (int i = 2; i < 1498; ++i)
    for (int j = 2; j < 2002; ++j) {
      float low = y[i][j] < 0.0f ? 0.0f : y[i][j];
      y[i][j] = low > 1.0f ? 1.0f : low;
    }
}
