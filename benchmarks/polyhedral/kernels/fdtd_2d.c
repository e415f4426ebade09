/* Electric and magnetic fields of a plane, updated in place. */
void KERNEL_NAME(float (*restrict ex)[2600], float (*restrict ey)[2600], float (*restrict hz)[2600],
                 float *restrict source) {
  for (int t = 0; t < 30; ++t) {
    for (int j = 0; j < 2600; ++j)
      ey[0][j] = source[t];
    for (int i = 1; i < 2000; ++i)
      for (int j = 0; j < 2600; ++j)
        ey[i][j] = ey[i][j] - 0.5f * (hz[i][j] - hz[i - 1][j]);
    for (int i = 0; i < 2000; ++i)
      for (int j = 1; j < 2600; ++j)
        ex[i][j] = ex[i][j] - 0.5f * (hz[i][j] - hz[i][j - 1]);
    for (int i = 0; i < 1999; ++i)
      for (int j = 0; j < 2599; ++j)
        hz[i][j] = hz[i][j] - 0.7f * (ex[i][j + 1] - ex[i][j] + ey[i + 1][j] - ey[i][j]);
  }
}
