/* A lower triangular matrix and its transpose, each times a vector. */
void KERNEL_NAME(float (*restrict l)[2500], float *restrict x, float *restrict w, float *restrict y,
                 float *restrict z) {
  for (int i = 0; i < 2500; ++i) {
    y[i] = 0;
    z[i] = 0;
  }
  for (int i = 0; i < 2500; ++i)
    for (int j = 0; j <= i; ++j)
      y[i] += l[i][j] * x[j];
  for (int i = 0; i < 2500; ++i)
    for (int j = 0; j <= i; ++j)
      z[j] += l[i][j] * w[i];
}
